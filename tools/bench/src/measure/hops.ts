import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { spread } from '../report/report.ts';
import { type Note, type Point, points } from './note-log.ts';

/** When a message passed each point. */
export type Way = ReadonlyMap<Point, number>;

/** What happens between a point and the one before it. */
const hopNames: Readonly<Record<Exclude<Point, 'client-out'>, string>> = {
  'socket-in': 'client to gateway: kernel, wake-up, WebSocket',
  'request-out': 'gateway: decode, queue, write the request',
  'entry-in': 'Redis: stream, wake-up of the core',
  'statement-out': 'core: read the entry, batch, write the statement',
  'statement-in': 'Postgres: statement and commit',
  'publish-out': 'core: rows, frame, write the publication',
  'publication-in': 'Redis: publish, wake-up of the gateway',
  'socket-out': 'gateway: order, publish to the topic',
  'client-in': 'gateway to client: WebSocket, kernel, wake-up',
};

function figureOf(point: string): string {
  return `hop_${point.replaceAll('-', '_')}`;
}

// From src/ and from dist/ alike.
const tracer = new URL('../../dist/measure/hop-tracer.js', import.meta.url).href;
const patienceMs = 60_000;
const pollMs = 50;

/** An empty folder, and the environment in which processes note into it. */
export function tracing(folder: string): NodeJS.ProcessEnv {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return { NODE_OPTIONS: `--import ${tracer}`, BENCH_HOPS_DIR: folder };
}

/** Has the processes write what they have noted since the last time. @returns it, by process */
export async function collectNotes(folder: string, pids: readonly number[]): Promise<Map<number, Note[]>> {
  const files = new Map(pids.map((pid) => [pid, join(folder, `${pid}.json`)]));
  for (const file of files.values()) rmSync(file, { force: true });
  for (const pid of pids) process.kill(pid, 'SIGUSR2');
  const givesUpAt = Date.now() + patienceMs;
  while ([...files.values()].some((file) => !existsSync(file))) {
    if (Date.now() > givesUpAt) throw new Error('a process did not write when messages passed it');
    await pause(pollMs);
  }
  return new Map([...files].map(([pid, file]) => [pid, JSON.parse(readFileSync(file, 'utf8')) as Note[]]));
}

/**
 * The way of the messages that were noted everywhere: from a client over its gateway to one on another gateway.
 * @returns of each hop and of the whole way the median, the 10th and the 99th percentile, microseconds. On a machine
 *   that is busy with other work, the 10th is nearest to what it takes by itself
 */
export function hopFigures(notes: ReadonlyMap<number, readonly Note[]>): Record<string, number> {
  const ways = wholeWays(notes);
  const at = (way: Way, point: Point | undefined) => way.get(point as Point) as number;
  const between = (name: string, from: Point | undefined, to: Point | undefined) => {
    const took = ways.map((way) => at(way, to) - at(way, from)).toSorted((one, other) => one - other);
    const percentile = (share: number) => took[Math.floor(took.length * share)] ?? Number.NaN;
    return {
      [name]: spread(took).median,
      [`${name}_p10`]: percentile(0.1),
      [`${name}_p99`]: percentile(0.99),
    };
  };
  const hops = points.slice(1).map((point, index) => between(figureOf(point), points[index], point));
  const whole = between('hop_all', points[0], points.at(-1));
  return Object.assign({ hop_messages: ways.length }, ...hops, whole);
}

/** Of the messages that were noted at all points. @throws Error when there is none */
export function wholeWays(notes: ReadonlyMap<number, readonly Note[]>): Way[] {
  const ways = [...waysOf(notes).values()].filter((way) => points.every((point) => way.has(point)));
  if (ways.length === 0) throw new Error('no message was noted at all points');
  return ways;
}

/** What lies between each point and the one before it, microseconds. */
export function hopsOf(way: Way): { readonly name: string; readonly us: number }[] {
  return points.slice(1).map((point, index) => ({
    name: hopNames[point as keyof typeof hopNames],
    us: (way.get(point) as number) - (way.get(points[index] as Point) as number),
  }));
}

/** By message: when it passed each point, on the gateway of the receiver behind the core. */
function waysOf(notes: ReadonlyMap<number, readonly Note[]>): Map<string, Map<Point, number>> {
  const senderGateway = new Map<string, number>();
  for (const [pid, all] of notes) {
    for (const { point, key } of all) if (point === 'socket-in') senderGateway.set(key, pid);
  }
  const ways = new Map<string, Map<Point, number>>();
  for (const [pid, all] of notes) {
    for (const { point, key, at } of all) {
      if (point === 'collection') continue;
      if ((point === 'publication-in' || point === 'socket-out') && senderGateway.get(key) === pid) continue;
      const way = ways.get(key) ?? new Map<Point, number>();
      ways.set(key, way.set(point, at));
    }
  }
  return ways;
}

/** The table hop by hop, a line each: what happens, and its 10th percentile, median and 99th percentile. */
export function hopLines(figures: Readonly<Record<string, number>>): string[] {
  if (figures.hop_all === undefined) return [];
  const line = (name: string, figure: string) => {
    const values = [`${figure}_p10`, figure, `${figure}_p99`].map((one) => Math.round(figures[one] ?? 0));
    return `${name.padEnd(50)}${values.map((us) => String(us).padStart(8)).join('')}`;
  };
  return [
    `${`µs of ${figures.hop_messages} messages`.padEnd(50)}     p10     p50     p99`,
    ...Object.entries(hopNames).map(([point, name]) => line(name, figureOf(point))),
    line('all', 'hop_all'),
  ];
}
