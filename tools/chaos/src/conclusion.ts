import { seconds } from './inject-faults.ts';
import { type Report, table } from './report.ts';

const violationsShown = 20;

/** The text at the end of a run: the table, and the first violations. */
export function conclusion(report: Report): { text: string; isSound: boolean } {
  const { messages, deliveries, settledAfterMs, violations, problems, staleStates } = report;
  const isSound = violations.length + problems.length === 0;
  const lines = [
    '',
    table(report),
    '',
    `${messages} messages stored, ${deliveries} deliveries received, the last ${seconds(settledAfterMs)} s after the last request`,
    ...rollingLines(report),
    ...staleStates.slice(0, 5).map((text) => `remark: a stale group state: ${text}`),
    ...problems.map((text) => `problem: ${text}`),
    ...violations
      .slice(0, violationsShown)
      .map(({ type, at, evidence }) => `${type} at ${seconds(at)} s: ${evidence}`),
    ...(violations.length > violationsShown
      ? [`and ${violations.length - violationsShown} more in chaos-report.json`]
      : []),
    isSound ? 'no promise was broken' : 'FAILED',
  ];
  return { text: `${lines.join('\n')}\n`, isSound };
}

function rollingLines({ rolling }: Report): string[] {
  if (!rolling) return [];
  const { connections, failures, injected } = rolling;
  const failed = Object.entries(failures).map(([text, count]) => `${count} times "${text}"`);
  return [
    `the rolling update took ${seconds(injected.endedAt - injected.beganAt)} s; failed requests: ${failed.join(', ') || 'none'}`,
    `connections of the gateways a minute later: ${connections.join(', ')}`,
  ];
}
