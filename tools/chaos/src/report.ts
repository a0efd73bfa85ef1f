import { type HarmDone, seconds } from './campaign.ts';
import type { Options } from './options.ts';
import { duplicateTimes } from './verdict/count-duplicates.ts';
import type { Ledger } from './verdict/ledger.ts';
import type { Fault, FaultKind } from './verdict/verdict.ts';

export type Interruption = { readonly at: number; readonly ms: number };

export type HarmRow = {
  readonly harm: string;
  readonly times: number;
  /** Worst of all times; undefined when there was none. */
  readonly recoveryMs: number | undefined;
  readonly silenceMs: number;
  /** Of connections that broke, until they were signed in again. */
  readonly interruptionP99Ms: number | undefined;
  readonly interruptions: number;
  readonly duplicates: number;
} & { readonly [K in FaultKind]: number };

export type Report = {
  readonly options: Options;
  readonly deliveries: number;
  readonly messages: number;
  readonly settledAfterMs: number;
  readonly rows: readonly HarmRow[];
  readonly total: HarmRow;
  readonly troubles: readonly string[];
  readonly staleStates: readonly string[];
  readonly faults: readonly Fault[];
};

const kinds: readonly FaultKind[] = [
  'lost',
  'misdelivered',
  'stored twice',
  'reordered',
  'altered',
  'wrong answer',
];
/** What came about before the first harm. */
const noHarm = '(no harm)';

/** Puts everything down to the harm that had begun last when it came about. */
export function harmRows(
  done: readonly HarmDone[],
  faults: readonly Fault[],
  ledger: Ledger,
  interruptions: readonly Interruption[],
): { rows: HarmRow[]; total: HarmRow } {
  const harmAt = (at: number): string => done.findLast(({ beganAt }) => beganAt <= at)?.name ?? noHarm;
  const faultNames = faults.map(({ at }) => harmAt(at));
  const duplicateNames = duplicateTimes(ledger).map(harmAt);
  const interruptionNames = interruptions.map(({ at, ms }) => harmAt(at - ms));
  const row = (harm: string, isOf: (name: string) => boolean): HarmRow => {
    const own = done.filter(({ name }) => isOf(name));
    const recoveries = own.map(({ recoveryMs }) => recoveryMs);
    const lasted = interruptions.filter((_, i) => isOf(interruptionNames[i] as string)).map(({ ms }) => ms);
    const count = (kind: FaultKind) =>
      faults.filter((fault, i) => fault.kind === kind && isOf(faultNames[i] as string)).length;
    return {
      harm,
      times: own.length,
      recoveryMs: recoveries.some((ms) => ms === undefined)
        ? undefined
        : Math.max(0, ...(recoveries as number[])),
      silenceMs: Math.max(0, ...own.map(({ silenceMs }) => silenceMs)),
      interruptions: lasted.length,
      interruptionP99Ms: quantile(lasted, 0.99),
      duplicates: duplicateNames.filter(isOf).length,
      ...(Object.fromEntries(kinds.map((kind) => [kind, count(kind)])) as Record<FaultKind, number>),
    };
  };
  const names = [...new Set(done.map(({ name }) => name as string))].sort();
  const isUsed = (name: string) => faultNames.includes(name) || duplicateNames.includes(name);
  return {
    rows: [...names, ...(isUsed(noHarm) ? [noHarm] : [])].map((name) => row(name, (other) => other === name)),
    total: row('all', () => true),
  };
}

function quantile(values: readonly number[], share: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** The table in Markdown, so that it can be kept as it is. */
export function table({ rows, total }: Pick<Report, 'rows' | 'total'>): string {
  const heads = [
    'harm',
    'times',
    'recovery after it (s)',
    'longest silence (s)',
    'connections broken',
    'p99 until back (s)',
    ...[
      'lost',
      'misdelivered',
      'stored twice',
      'out of order',
      'altered',
      'wrong answers',
      'duplicates received',
    ],
  ];
  const ms = (value: number | undefined) => (value === undefined ? '-' : seconds(value));
  const cells = [...rows, total].map((row) => [
    row.harm,
    String(row.times),
    row.times === 0 ? '-' : row.recoveryMs === undefined ? 'never' : ms(row.recoveryMs),
    row.times === 0 ? '-' : ms(row.silenceMs),
    String(row.interruptions),
    ms(row.interruptionP99Ms),
    ...kinds.map((kind) => String(row[kind])),
    String(row.duplicates),
  ]);
  const widths = heads.map((head, i) => Math.max(head.length, ...cells.map((line) => line[i]?.length ?? 0)));
  const line = (texts: readonly string[]) =>
    `| ${texts.map((text, i) => (i === 0 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0))).join(' | ')} |`;
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(heads), rule, ...cells.map(line)].join('\n');
}
