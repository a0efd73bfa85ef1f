import { addCommands } from './commands/index.ts';
import { createProgram, runProgram } from './program.ts';

const program = createProgram();
await addCommands(program, process.argv.slice(2));
await runProgram(program);
