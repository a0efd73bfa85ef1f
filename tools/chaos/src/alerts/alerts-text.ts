import { markdownTable } from 'markdown-table';
import { seconds } from '../inject-faults.ts';
import type { AlertRow, AlertsReport } from './campaign.ts';

/** What the terminal shows; sound if every fault fired its alert alone, or none if it must not, and quiet fired none. */
export function alertsText(report: AlertsReport): { text: string; isSound: boolean } {
  const { rows, firedInQuiet, quietMs, scale, loads, cpuMicrosPerDelivery, unanswered } = report;
  const table = markdownTable([
    ['fault', 'alert', 'seconds until it fired', 'what else fired', 'what readiness said'],
    ...rows.map((row) => [
      row.about,
      row.alert ?? `none: ${row.because}`,
      firedText(row),
      row.others.join(', ') || 'nothing',
      row.readiness.join('; ') || 'ready',
    ]),
  ]);
  const quiet = `${seconds(quietMs)} s without a fault: ${firedInQuiet.join(', ') || 'no alert'}.`;
  const load = `Load average ${Math.min(...loads).toFixed(0)} to ${Math.max(...loads).toFixed(0)}.`;
  const cost = `Server CPU without Postgres: ${cpuMicrosPerDelivery.toFixed(0)} us an acknowledged delivery.`;
  const isSound = firedInQuiet.length === 0 && unanswered.length === 0 && rows.every(isAsExpected);
  const asExpected =
    rows.length > 0 ? 'Each fault fired its alert, or none if it must not, and no other.' : 'No alert fired.';
  const result = isSound
    ? `${asExpected} Every panel of the boards has data, and no rule fails.`
    : ['Not every fault fired its alert alone, or not every panel has data.', ...unanswered].join('\n');
  const text = `${rows.length > 0 ? `\n${table}\n` : ''}\n${quiet} Durations of the rules times ${scale}. ${load} ${cost}\n${result}\n`;
  return { text, isSound };
}

function firedText({ alert, firedAfterMs }: AlertRow): string {
  if (alert === undefined) return '-';
  return firedAfterMs === undefined ? 'did not fire' : seconds(firedAfterMs);
}

function isAsExpected({ alert, firedAfterMs, others }: AlertRow): boolean {
  return (alert === undefined || firedAfterMs !== undefined) && others.length === 0;
}
