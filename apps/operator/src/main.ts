import { addCommands } from './commands/index.ts';
import { createProgram, runProgram } from './program.ts';

const program = createProgram();
addCommands(program);
await runProgram(program);
