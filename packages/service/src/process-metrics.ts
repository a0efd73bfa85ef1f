import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { createHistogram, performance } from 'node:perf_hooks';
import { collectDefaultMetrics, type Gauge, type Registry } from 'prom-client';
import { countOpenFiles } from './open-files.ts';

/** How often the lag of the event loop is measured. Each measurement wakes the process, so it is not prom-client's 10 ms. */
const lagEveryMs = 100;
/** Lag beyond that counts as that. */
const lagMaxMs = 60_000;
/** prom-client's own measurement comes so seldom: the longest time of a timer. */
const neverMs = 2 ** 31 - 1;

const statusPath = '/proc/self/status';
const memoryFields = [
  ['process_resident_memory_bytes', /^VmRSS:\s*(\d+) kB$/m],
  ['process_virtual_memory_bytes', /^VmSize:\s*(\d+) kB$/m],
  ['process_heap_bytes', /^VmData:\s*(\d+) kB$/m],
] as const;

/**
 * Has a registry tell what every process of Node has, by the names that every Prometheus client gives it: prom-client's
 * default metrics. Three of them take it long in one go, while no message moves, and are read in another way here: how late
 * the event loop was, the memory of the process, and its open files, which it lists to count them.
 */
export function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: neverMs });
  collectLags(registry);
  if (!existsSync(statusPath)) return;
  collectMemory(registry);
  collectOpenFiles(registry);
}

/**
 * `nodejs_eventloop_lag_*` tells how late the event loop was since the metrics were read last, in seconds: 0 or 1 µs if it was in time.
 * The histogram of prom-client has room for hours in nanoseconds, and is walked through for nearly each of them.
 */
function collectLags(registry: Registry): void {
  const lateMicros = createHistogram({ lowest: 1, highest: lagMaxMs * 1_000, figures: 2 });
  let lastMs = performance.now();
  setInterval(() => {
    const nowMs = performance.now();
    const lateMs = Math.min(lagMaxMs, nowMs - lastMs - lagEveryMs);
    lastMs = nowMs;
    lateMicros.record(Math.max(1, Math.round(lateMs * 1_000)));
  }, lagEveryMs).unref();
  const gaugeOf = (which: string) =>
    registry.getSingleMetric(`nodejs_eventloop_lag_${which}seconds`) as Gauge;
  const now = gaugeOf('');
  const [min, max, mean] = [gaugeOf('min_'), gaugeOf('max_'), gaugeOf('mean_')];
  const stddev = gaugeOf('stddev_');
  const percentiles = [50, 90, 99].map((percent) => [percent, gaugeOf(`p${percent}_`)] as const);
  replaceCollect(now, () => {
    const askedMs = performance.now();
    setImmediate(() => now.set((performance.now() - askedMs) / 1_000));
    if (lateMicros.count === 0) return;
    min.set(lateMicros.min / 1e6);
    max.set(lateMicros.max / 1e6);
    mean.set(lateMicros.mean / 1e6);
    stddev.set(lateMicros.stddev / 1e6);
    for (const [percent, gauge] of percentiles) gauge.set(lateMicros.percentile(percent) / 1e6);
    lateMicros.reset();
  });
}

function collectMemory(registry: Registry): void {
  const bytes = Buffer.alloc(8_192);
  const fields = memoryFields.map(
    ([name, pattern]) => [registry.getSingleMetric(name) as Gauge, pattern] as const,
  );
  const [[resident]] = fields as [(typeof fields)[number]];
  replaceCollect(resident, () => {
    const status = readWhole(statusPath, bytes);
    for (const [gauge, pattern] of fields) {
      const kilobytes = pattern.exec(status)?.[1];
      if (kilobytes !== undefined) gauge.set(Number(kilobytes) * 1_024);
    }
  });
}

/** @returns as much of a file as there are bytes for; nothing if it cannot be opened, as when too many are */
function readWhole(path: string, bytes: Buffer): string {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    return bytes.toString('latin1', 0, readSync(file, bytes));
  } catch {
    return '';
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function collectOpenFiles(registry: Registry): void {
  const gauge = registry.getSingleMetric('process_open_fds') as Gauge;
  replaceCollect(gauge, () => {
    const files = countOpenFiles();
    if (files !== undefined && Number.isFinite(files)) gauge.set(files);
  });
}

/** prom-client calls `collect` when somebody reads the metrics. */
function replaceCollect(gauge: Gauge, collect: () => void): void {
  Object.assign(gauge, { collect });
}
