import { runAfterRestore } from './commands/after-restore-command.ts';

process.exitCode = await runAfterRestore(process.argv.slice(2), process.env, {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`after-restore: ${line}\n`),
});
