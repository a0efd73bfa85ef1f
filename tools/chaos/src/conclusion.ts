import { seconds } from './campaign.ts';
import { type Report, table } from './report.ts';

const faultsShown = 20;

/** What a run ends with: the table, and the first of what went wrong. */
export function conclusion(report: Report): { text: string; isSound: boolean } {
  const { messages, deliveries, settledAfterMs, faults, troubles, staleStates } = report;
  const isSound = faults.length + troubles.length === 0;
  const lines = [
    '',
    table(report),
    '',
    `${messages} messages stored, ${deliveries} deliveries received, the last ${seconds(settledAfterMs)} s after the last request`,
    ...staleStates.slice(0, 5).map((text) => `remark: a stale group state: ${text}`),
    ...troubles.map((text) => `trouble: ${text}`),
    ...faults
      .slice(0, faultsShown)
      .map(({ kind, at, evidence }) => `${kind} at ${seconds(at)} s: ${evidence}`),
    ...(faults.length > faultsShown ? [`and ${faults.length - faultsShown} more in chaos-report.json`] : []),
    isSound ? 'no promise was broken' : 'FAILED',
  ];
  return { text: `${lines.join('\n')}\n`, isSound };
}
