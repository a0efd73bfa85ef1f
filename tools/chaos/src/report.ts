import { markdownTable } from 'markdown-table';
import { type Violation, type ViolationType, violationTypes } from './checker/check.ts';
import { duplicateTimes } from './checker/count-duplicates.ts';
import type { History } from './checker/history.ts';
import { type InjectedFault, seconds } from './inject-faults.ts';
import type { Options } from './options.ts';
import type { OutageReport } from './outages/outage-report.ts';
import { quantile } from './quantile.ts';
import type { Update } from './rolling.ts';

export type Interruption = { readonly at: number; readonly ms: number };

export type FaultRow = {
  readonly fault: string;
  readonly times: number;
  /** The longest of all times; undefined when the service did not recover once. */
  readonly recoveryMs: number | undefined;
  readonly silenceMs: number;
  /** Of connections that broke: until their users were signed in again. */
  readonly interruptionP99Ms: number | undefined;
  readonly interruptions: number;
  readonly duplicates: number;
} & { readonly [K in ViolationType]: number };

export type Report = {
  readonly options: Options;
  readonly deliveries: number;
  readonly messages: number;
  readonly settledAfterMs: number;
  /** Messages a second of `MessageLoad`, and how many it left out because their device had too many unanswered. */
  readonly rate: { readonly asked: number; readonly reached: number; readonly leftOut: number };
  readonly rows: readonly FaultRow[];
  readonly total: FaultRow;
  readonly problems: readonly string[];
  readonly staleStates: readonly string[];
  readonly violations: readonly Violation[];
  readonly update?: Update | undefined;
  /** Of the times when one of several Redis was away. */
  readonly outages?: OutageReport | undefined;
};

/** The row of what happened before the first fault. */
const noFault = '(no fault)';

/** Sums up by fault. Everything belongs to the fault that had begun last when it happened. */
export function faultRows(
  injected: readonly InjectedFault[],
  violations: readonly Violation[],
  history: History,
  interruptions: readonly Interruption[],
): { rows: FaultRow[]; total: FaultRow } {
  const faultAt = (at: number): string => injected.findLast(({ beganAt }) => beganAt <= at)?.name ?? noFault;
  const violationNames = violations.map(({ at }) => faultAt(at));
  const duplicateNames = duplicateTimes(history).map(faultAt);
  const interruptionNames = interruptions.map(({ at, ms }) => faultAt(at - ms));
  const row = (fault: string, isOf: (name: string) => boolean): FaultRow => {
    const own = injected.filter(({ name }) => isOf(name));
    const recoveries = own.map(({ recoveryMs }) => recoveryMs);
    const lasted = interruptions.filter((_, i) => isOf(interruptionNames[i] as string)).map(({ ms }) => ms);
    const count = (type: ViolationType) =>
      violations.filter((violation, i) => violation.type === type && isOf(violationNames[i] as string))
        .length;
    return {
      fault,
      times: own.length,
      recoveryMs: recoveries.some((ms) => ms === undefined)
        ? undefined
        : Math.max(0, ...(recoveries as number[])),
      silenceMs: Math.max(0, ...own.map(({ silenceMs }) => silenceMs)),
      interruptions: lasted.length,
      interruptionP99Ms: quantile(lasted, 0.99),
      duplicates: duplicateNames.filter(isOf).length,
      ...(Object.fromEntries(violationTypes.map((type) => [type, count(type)])) as Record<
        ViolationType,
        number
      >),
    };
  };
  const names = [...new Set(injected.map(({ name }) => name))].sort();
  const isUsed = (name: string) => violationNames.includes(name) || duplicateNames.includes(name);
  return {
    rows: [...names, ...(isUsed(noFault) ? [noFault] : [])].map((name) =>
      row(name, (other) => other === name),
    ),
    total: row('all', () => true),
  };
}

export function table({ rows, total }: Pick<Report, 'rows' | 'total'>): string {
  const heads = ['fault', 'times', 'recovery after it (s)', 'longest silence (s)', 'connections broken'];
  heads.push('p99 until back (s)', 'lost', 'misdelivered', 'stored twice', 'out of order', 'altered');
  heads.push('wrong answers', 'duplicates received');
  const ms = (value: number | undefined) => (value === undefined ? '-' : seconds(value));
  const cells = [...rows, total].map((row) => [
    row.fault,
    String(row.times),
    row.times === 0 ? '-' : row.recoveryMs === undefined ? 'never' : ms(row.recoveryMs),
    row.times === 0 ? '-' : ms(row.silenceMs),
    String(row.interruptions),
    ms(row.interruptionP99Ms),
    ...violationTypes.map((type) => String(row[type])),
    String(row.duplicates),
  ]);
  return markdownTable([heads, ...cells], { align: ['l', ...heads.slice(1).map(() => 'r')] });
}
