import { hopsOf, type Way, wholeWays } from './hops.ts';
import type { Note } from './note-log.ts';

const slowestShare = 0.01;
/** A shorter collection of garbage makes no tail. */
const collectionMinUs = 1_000;
const burstUs = 100_000;

type Span = { readonly from: number; readonly to: number };

/**
 * What made the slowest hundredth of messages slow: the hop in which each lost most, to the median of that hop; whether
 * they came in bursts; and how many of them were on their way during a collection of garbage, and how many of all.
 * @param roleOf the role of a process
 */
export function tailLines(
  notes: ReadonlyMap<number, readonly Note[]>,
  roleOf: (pid: number) => string,
): string[] {
  const ways = wholeWays(notes).toSorted((one, other) => lengthOf(other) - lengthOf(one));
  const slowest = ways.slice(0, Math.ceil(ways.length * slowestShare));
  const bursts = new Set(slowest.map((way) => Math.floor(spanOf(way).to / burstUs)));
  const ms = (lengthOf(slowest.at(-1) as Way) / 1_000).toFixed(1);
  return [
    `the slowest ${slowest.length} of ${ways.length} messages took ${ms} ms or more, in ${bursts.size} tenths of a second`,
    ...worstHopLines(ways, slowest),
    ...collectionLines(notes, roleOf, ways, slowest),
  ];
}

function worstHopLines(ways: readonly Way[], slowest: readonly Way[]): string[] {
  const usual = hopsOf(ways[ways.length >> 1] as Way).map((_, index) =>
    median(ways.map((way) => hopsOf(way)[index]?.us ?? 0)),
  );
  const counts = new Map<string, number>();
  for (const way of slowest) {
    const excess = hopsOf(way).map(({ name, us }, index) => ({ name, us: us - (usual[index] as number) }));
    const { name } = excess.reduce((worst, hop) => (hop.us > worst.us ? hop : worst));
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts]
    .toSorted(([, one], [, other]) => other - one)
    .map(([name, count]) => `  ${count} lost most in ${name}`);
}

function collectionLines(
  notes: ReadonlyMap<number, readonly Note[]>,
  roleOf: (pid: number) => string,
  ways: readonly Way[],
  slowest: readonly Way[],
): string[] {
  const byRole = new Map<string, Span[]>();
  for (const [pid, all] of notes) {
    const spans = all.flatMap(({ point, key, at }) =>
      point === 'collection' && Number(key) >= collectionMinUs ? [{ from: at - Number(key), to: at }] : [],
    );
    byRole.set(roleOf(pid), [...(byRole.get(roleOf(pid)) ?? []), ...spans]);
  }
  return [...byRole].map(([role, spans]) => {
    const during = (some: readonly Way[]) =>
      some.filter((way) => spans.some(({ from, to }) => from < spanOf(way).to && to > spanOf(way).from))
        .length;
    return `  ${during(slowest)} during one of ${spans.length} collections of 1 ms or more in ${role}; of all ${during(ways)}`;
  });
}

function spanOf(way: Way): Span {
  return { from: way.get('client-out') as number, to: way.get('client-in') as number };
}

function lengthOf(way: Way): number {
  const { from, to } = spanOf(way);
  return to - from;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] as number;
}
