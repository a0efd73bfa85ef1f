import { writeFileSync } from 'node:fs';
import { allChecks } from './checks/index.ts';
import { RunError } from './failure.ts';
import { parseCommand, usage, version } from './options.ts';
import { count, reportJson, resultText, summaryText } from './report.ts';
import { type CheckResult, type ConformanceOptions, runConformance } from './run.ts';

try {
  const command = parseCommand(process.argv.slice(2), process.stdin.isTTY === true);
  if (command.type === 'help') process.stdout.write(usage);
  else if (command.type === 'version') process.stdout.write(`${version}\n`);
  else if (command.type === 'list') process.stdout.write(listText());
  else await run(command.options, command.jsonFile);
} catch (error) {
  if (!(error instanceof RunError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}

async function run(options: ConformanceOptions, jsonFile: string | undefined): Promise<void> {
  const startedAt = new Date();
  process.stdout.write(`Protocol V2 at ${options.url}\n`);
  let topic = '';
  const onResult = (result: CheckResult) => {
    if (result.topic !== topic) process.stdout.write(`\n${result.topic}\n`);
    topic = result.topic;
    process.stdout.write(resultText(result));
  };
  const results = await runConformance({ ...options, onResult });
  process.stdout.write(`\n${summaryText(results)}`);
  if (jsonFile !== undefined) write(jsonFile, reportJson(options.url, startedAt, results));
  process.exitCode = count(results, 'failed') === 0 ? 0 : 1;
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new RunError(`--json: ${(error as Error).message}`);
  }
}

function listText(): string {
  const lines = allChecks.map(({ topic, name, title }, i) => {
    const head = topic === allChecks[i - 1]?.topic ? '' : `${i === 0 ? '' : '\n'}${topic}\n`;
    return `${head}  ${`${topic}/${name}`.padEnd(46)}${title}\n`;
  });
  return lines.join('');
}
