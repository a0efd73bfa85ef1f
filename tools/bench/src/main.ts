import { runCommand } from '@hooligram/local';
import { parseOptions, usage } from './options.ts';
import { conclusion } from './report/conclusion.ts';
import { type Report, summarize } from './report/report.ts';
import { writeReport } from './report/write-report.ts';
import { run } from './run.ts';

// Started by infra/local/bench.mjs.
await runCommand(async (signal) => {
  const options = parseOptions(process.argv.slice(2));
  if (!options) {
    process.stdout.write(usage);
    return true;
  }
  const keep = (report: Report) => writeReport(report, summarize(report), options.results);
  const report = await run(options, (line) => process.stdout.write(`  ${line}\n`), signal, keep);
  const summaries = summarize(report);
  const files = writeReport(report, summaries, options.results);
  process.stdout.write(`\n${conclusion(report, summaries)}\n${files.join('\n')}\n`);
  return summaries.every(({ faults }) => faults.length === 0);
});
