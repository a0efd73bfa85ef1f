import { runCanonicalSids } from './commands/canonical-sids-command.ts';

process.exitCode = await runCanonicalSids(process.argv.slice(2), process.env, {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`canonical-sids: ${line}\n`),
});
