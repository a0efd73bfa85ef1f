import { setMaxListeners } from 'node:events';
import { seconds } from './campaign.ts';
import { conclusion } from './conclusion.ts';
import { now } from './load/clock.ts';
import { OptionsError, parseOptions, usage } from './options.ts';
import { run } from './run.ts';

// Started by infra/local/chaos.mjs, which passes signals on, and is missed when it dies.
const abort = new AbortController();
const order = () => abort.abort(new Error('stopped'));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, order);
process.on('disconnect', order);
// Every wait of the run listens to it.
setMaxListeners(0, abort.signal);
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

try {
  const options = parseOptions(process.argv.slice(2));
  if (!options) process.stdout.write(usage);
  else {
    const { text, isSound } = conclusion(await run(options, log, abort.signal));
    process.stdout.write(text);
    process.exitCode = isSound ? 0 : 1;
  }
} catch (error) {
  const isFlag = error instanceof OptionsError;
  const text = isFlag || abort.signal.aborted ? (error as Error).message : (error as Error).stack;
  process.stderr.write(`${text}\n`);
  process.exitCode = isFlag ? 2 : 1;
}
process.exit();

function log(line: string): void {
  process.stdout.write(`${seconds(now()).padStart(7)} s  ${line}\n`);
}
