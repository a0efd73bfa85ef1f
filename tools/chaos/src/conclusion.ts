import { seconds } from './inject-faults.ts';
import { outageLines } from './outages/outage-text.ts';
import { type Report, table } from './report.ts';
import { unevenness } from './rolling.ts';

const violationsShown = 20;

/** The text at the end of a run: the table, and the first violations. */
export function conclusion(report: Report): { text: string; isSound: boolean } {
  const { messages, deliveries, settledAfterMs, violations, problems, staleStates, rate } = report;
  const isSound = violations.length + problems.length === 0;
  const lines = [
    '',
    table(report),
    '',
    ...(report.outages ? outageLines(report.outages) : []),
    `${messages} messages stored, ${deliveries} deliveries received, the last ${seconds(settledAfterMs)} s after the last request`,
    `the load sent ${Math.round(rate.reached)} messages a second of ${rate.asked} that it was asked for${rate.leftOut > 0 ? `; it left ${rate.leftOut} out, because their devices waited for 20 answers each` : ''}`,
    ...updateLines(report),
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

function updateLines({ update }: Report): string[] {
  if (!update) return [];
  const { connections, failures, tookMs } = update;
  const failed = Object.values(failures.failed).reduce((sum, count) => sum + count, 0);
  return [
    `the update took ${seconds(tookMs)} s; failed requests: ${failed}`,
    `beside these, ${failures.ofLeavers} messages of users who had just left their group were refused, as is right, and ${failures.unanswered} of the mobile client, which repeats none, lost their answer with a connection that the server ended`,
    ...(connections
      ? [
          `connections of the gateways a minute later: ${connections.join(', ')}: at most ${(unevenness(connections) * 100).toFixed(1)} % from the mean`,
        ]
      : []),
  ];
}
