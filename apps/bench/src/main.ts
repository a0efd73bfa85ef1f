import { setMaxListeners } from 'node:events';
import { OptionsError, parseOptions, usage } from './options.ts';
import { summarize } from './report/report.ts';
import { roleLines, table } from './report/table.ts';
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
    const { processor, cores, memoryGiB, system, node, commit } = report.machine;
    const machine = `${processor}, ${cores} cores, ${memoryGiB} GiB, ${system}, Node ${node}, commit ${commit}`;
    const files = writeReport(report, options.results);
    const lines = [table(summaries), '', ...roleLines(summaries), '', machine, ...files];
    process.stdout.write(`\n${lines.join('\n')}\n`);
    process.exitCode = summaries.some(({ faults }) => faults.length > 0) ? 1 : 0;
  }
} catch (error) {
  const isFlag = error instanceof OptionsError;
  const text = isFlag || abort.signal.aborted ? (error as Error).message : (error as Error).stack;
  process.stderr.write(`${text}\n`);
  process.exitCode = isFlag ? 2 : 1;
}
process.exit();
