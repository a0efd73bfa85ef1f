import { markdownTable } from 'markdown-table';
import { seconds } from '../inject-faults.ts';
import type { OutageReport, Spread } from './outage-report.ts';

const titles = { before: '20 s before', away: 'while it was away', back: '10 s after' } as const;

/** A table, and a line for each time that a Redis was away. */
export function outageLines({ rows, whole }: OutageReport): string[] {
  const ms = (value: number | undefined) => (value === undefined ? '-' : value.toFixed(0));
  const cells = ({ p50, p99, most }: Spread) => [ms(p50), ms(p99), ms(most)];
  const columns = (what: string) => [`${what}: p50 ms`, 'p99', 'most'];
  const heads = ['on the Redis that was away', 'sent', 'messages', ...columns('answered')];
  heads.push(...columns('delivered'));
  return [
    markdownTable(
      [
        heads,
        ...rows.map(({ part, phase, messages, answered, delivered }) => [
          part,
          titles[phase],
          String(messages),
          ...cells(answered),
          ...cells(delivered),
        ]),
      ],
      { align: ['l', 'l', ...heads.slice(2).map(() => 'r')] },
    ),
    ...whole.map(
      ({ groups, p50Ms, lastMs }) =>
        `${groups} groups missed something, of theirs or of a sender; half of them had all of it ${seconds(p50Ms)} s after that Redis was back, the last one ${seconds(lastMs)} s after`,
    ),
    '',
  ];
}
