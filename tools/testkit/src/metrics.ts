import { patienceMs } from './patience.ts';

/** The numbers that a process exposes, by name and labels. */
export type Metrics = {
  /**
   * The value of a metric: the sum over all its series whose labels are at least these. 0 when there is none:
   * a counter that was never raised may be missing.
   */
  value(name: string, labels?: Readonly<Record<string, string>>): number;
  /** Everything, for a message when a test fails. */
  readonly text: string;
};

type Sample = {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
};

export async function metrics(adminUrl: string): Promise<Metrics> {
  const response = await getOnce(new URL('/metrics', adminUrl));
  if (!response.ok) throw new Error(`${adminUrl}/metrics answered ${response.status}`);
  return parseMetrics(await response.text());
}

/**
 * A GET on a connection of its own. One that is kept for the next request may be closed by the server, after a quiet minute,
 * in the very moment in which it is used again.
 */
export function getOnce(url: URL, signal = AbortSignal.timeout(patienceMs)): Promise<Response> {
  return fetch(url, { headers: { connection: 'close' }, signal });
}

export function parseMetrics(text: string): Metrics {
  const samples = text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(parseSample);
  return {
    text,
    value: (name, labels = {}) =>
      samples
        .filter((sample) => sample.name === name)
        .filter((sample) => Object.entries(labels).every(([key, value]) => sample.labels.get(key) === value))
        .reduce((sum, sample) => sum + sample.value, 0),
  };
}

function parseSample(line: string): Sample {
  const [, name = '', labels = '', value = ''] = /^([^\s{]+)(?:\{(.*)\})?\s+(\S+)/.exec(line) ?? [];
  const pairs = [...labels.matchAll(/([^=,\s]+)="((?:[^"\\]|\\.)*)"/g)].map(
    ([, key = '', text = '']) => [key, text.replace(/\\(.)/g, (_, c) => (c === 'n' ? '\n' : c))] as const,
  );
  return { name, labels: new Map(pairs), value: Number(value.replace('Inf', 'Infinity')) };
}
