import type { Metrics } from './metrics.ts';

export type ServiceMetrics = ReturnType<typeof createServiceMetrics>;

/** What every process says of itself. */
export function createServiceMetrics(metrics: Metrics) {
  return {
    ready: metrics.gauge('ready', 'Whether a check of /readyz is passed: 1 or 0', ['check']),
    draining: metrics.observed(
      'draining',
      'Whether the process stops on purpose and takes nothing new: 1 or 0',
    ),
    nodeInfo: metrics.gauge(
      'node_info',
      'Which node this process is, by the name that nodes have in Redis; always 1',
      ['id'],
    ),
    nodeStopped: metrics.gauge(
      'node_stopped',
      'Nodes that have said in the last ten minutes that they stop on purpose, as this one heard; always 1',
      ['id'],
    ),
    buildInfo: metrics.gauge('build_info', 'What this process is and runs on; always 1', [
      'version',
      'contract',
      'node',
      'uwebsockets',
    ]),
  };
}

/** What a process reports of its build. */
export type Build = {
  readonly version: string;
  /** The layout of what gateways and cores send each other. */
  readonly contract: string;
  readonly uwebsockets?: string;
};

/** A client of a store, as far as its metrics go; one of ioredis fits. */
type Connection = {
  readonly status: string;
  on(event: 'ready' | 'close', listener: () => void): unknown;
};

export type ConnectionMetrics = ReturnType<typeof createConnectionMetrics>;

/** Redis's error codes that say what to do; the others count as `other`. */
const refusalCodes = ['OOM', 'READONLY', 'MASTERDOWN', 'NOREPLICAS', 'MISCONF', 'LOADING', 'NOPERM', 'other'];

/** Says which of several Redis is meant, by its place in their list. With one there is no such label. */
type RedisLabel = {
  readonly values: Readonly<Record<string, readonly string[]>>;
  of(shard: number): { readonly redis?: string };
};

/** @param shards how many Redis there are */
export function redisLabel(shards: number): RedisLabel {
  if (shards === 1) return { values: {}, of: () => ({}) };
  const redis = Array.from({ length: shards }, (_, index) => String(index));
  return { values: { redis }, of: (shard) => ({ redis: String(shard) }) };
}

/**
 * @param connections what they are for: the values of the label
 * @param shards how many Redis there are: with several, connections and refusals have a label that says of which
 */
export function createConnectionMetrics(metrics: Metrics, connections: readonly string[], shards = 1) {
  const label = redisLabel(shards);
  const labels = { connection: connections, ...label.values };
  const connected = metrics.gauge<string>(
    'redis_connected',
    'Whether a connection to Redis is there: 1 or 0',
    labels,
  );
  const reconnects = metrics.counter<string>(
    'redis_reconnects_total',
    'Times that a connection to Redis was made again',
    labels,
  );
  const writeSeconds = metrics.hotHistograms(
    'redis_write_seconds',
    'Round trip of a write that Redis answered; one that it does not answer is in none of them',
    {
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
    },
  )();
  const refused = metrics.counter<string>(
    'redis_writes_refused_total',
    'Times that Redis refused the write with which this process proves its way, each second, by its error code',
    { code: refusalCodes, ...label.values },
  );
  const working = metrics.observed(
    'redis_working',
    'How many of several Redis work, as this process knows; nothing with one',
  );
  return {
    /** How many of several Redis work. */
    working,
    /** Redis refused a write. @param shard which of several */
    onRefused(code: string, shard = 0): void {
      refused.inc({ code: refusalCodes.includes(code) ? code : 'other', ...label.of(shard) });
    },
    /** A write was answered. */
    onWritten: (ms: number) => writeSeconds.observe(ms / 1_000),
    /** @param client is ready, or connects for the first time @param shard to which of several Redis */
    watch(connection: string, client: Connection, shard = 0): void {
      const which = { connection, ...label.of(shard) };
      let wasReady = client.status === 'ready';
      connected.set(which, wasReady ? 1 : 0);
      client.on('close', () => connected.set(which, 0));
      client.on('ready', () => {
        connected.set(which, 1);
        if (wasReady) reconnects.inc(which);
        wasReady = true;
      });
    },
  };
}
