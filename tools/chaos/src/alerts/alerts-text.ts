import { markdownTable } from 'markdown-table';
import { seconds } from '../inject-faults.ts';
import type { AlertsReport } from './campaign.ts';

/** What the terminal shows; sound if every fault fired its alert alone, and quiet fired none. */
export function alertsText(report: AlertsReport): { text: string; isSound: boolean } {
  const { rows, firedInQuiet, quietMs, scale, cpuMicrosPerDelivery, unanswered } = report;
  const table = markdownTable([
    ['fault', 'alert', 'seconds until it fired', 'what else fired', 'what readiness said'],
    ...rows.map(({ fault, alert, firedAfterMs, others, readiness }) => [
      fault,
      alert,
      firedAfterMs === undefined ? 'did not fire' : seconds(firedAfterMs),
      others.join(', ') || 'nothing',
      readiness.join('; ') || 'ready',
    ]),
  ]);
  const quiet = `${seconds(quietMs)} s without a fault: ${firedInQuiet.join(', ') || 'no alert'}.`;
  const cost = `Server CPU without Postgres: ${cpuMicrosPerDelivery.toFixed(0)} us an acknowledged delivery.`;
  const isSound =
    firedInQuiet.length === 0 &&
    unanswered.length === 0 &&
    rows.every(({ firedAfterMs, others }) => firedAfterMs !== undefined && others.length === 0);
  const result = isSound
    ? 'Each fault fired its alert, and no other. Every panel of the boards has data, and no rule fails.'
    : ['Not every fault fired its alert alone, or not every panel has data.', ...unanswered].join('\n');
  const text = `\n${table}\n\n${quiet} Durations of the rules times ${scale}. ${cost}\n${result}\n`;
  return { text, isSound };
}
