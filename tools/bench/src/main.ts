import { setMaxListeners } from 'node:events';
import { OptionsError, parseOptions, usage } from './options.ts';
import { conclusion } from './report/conclusion.ts';
import { summarize } from './report/report.ts';
import { writeReport } from './report/write-report.ts';
import { run } from './run.ts';

// Started by infra/local/bench.mjs, which passes signals on, and is missed when it dies.
const abort = new AbortController();
const order = () => abort.abort(new Error('stopped'));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, order);
process.on('disconnect', order);
setMaxListeners(0, abort.signal);
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

try {
  const options = parseOptions(process.argv.slice(2));
  if (!options) process.stdout.write(usage);
  else {
    const report = await run(options, (line) => process.stdout.write(`  ${line}\n`), abort.signal);
    const summaries = summarize(report);
    const files = writeReport(report, summaries, options.results);
    process.stdout.write(`\n${conclusion(report, summaries)}\n${files.join('\n')}\n`);
    process.exitCode = summaries.some(({ faults }) => faults.length > 0) ? 1 : 0;
  }
} catch (error) {
  const isFlag = error instanceof OptionsError;
  const text = isFlag || abort.signal.aborted ? (error as Error).message : (error as Error).stack;
  process.stderr.write(`${text}\n`);
  process.exitCode = isFlag ? 2 : 1;
}
process.exit();
