import { runCommand } from '@hooligram/local';
import { alertsText } from './alerts/alerts-text.ts';
import { runAlerts } from './alerts/campaign.ts';
import { conclusion } from './conclusion.ts';
import { seconds } from './inject-faults.ts';
import { parseOptions, usage } from './options.ts';
import { run } from './run.ts';

// Started by infra/local/chaos.mjs.
await runCommand(async (signal) => {
  const options = parseOptions(process.argv.slice(2));
  if (!options) {
    process.stdout.write(usage);
    return true;
  }
  const { text, isSound } = options.alerts
    ? alertsText(await runAlerts(options, log, signal))
    : conclusion(await run(options, log, signal));
  process.stdout.write(text);
  return isSound;
});

function log(line: string): void {
  process.stdout.write(`${seconds(performance.now()).padStart(7)} s  ${line}\n`);
}
