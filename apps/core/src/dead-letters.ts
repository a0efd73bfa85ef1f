import { runDeadLetters } from './commands/dead-letters-command.ts';

process.exitCode = await runDeadLetters(process.argv.slice(2), process.env, {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`dead-letters: ${line}\n`),
});
