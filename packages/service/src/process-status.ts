import { hostname } from 'node:os';
import { performance } from 'node:perf_hooks';
import type { Lifecycle } from './lifecycle.ts';
import { release } from './release.ts';

const startedAt = new Date(Date.now() - process.uptime() * 1_000).toISOString();

/** @returns says what an operator asks of any process; `busy_percent` is of the time since it was asked last */
export function createProcessStatus({
  lifecycle,
  config,
}: {
  readonly lifecycle: Pick<Lifecycle, 'readiness'>;
  readonly config: { readonly ADMIN_PORT: number };
}) {
  let last = performance.eventLoopUtilization();
  return async () => {
    const { ready, checks } = await lifecycle.readiness();
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return {
      release,
      host: hostname(),
      pid: process.pid,
      started_at: startedAt,
      admin_port: config.ADMIN_PORT,
      is_ready: ready,
      failing: Object.entries(checks).flatMap(([name, text]) => (text === 'ok' ? [] : [`${name}: ${text}`])),
      rss_bytes: process.memoryUsage.rss(),
      busy_percent: Math.round(utilization * 100),
    };
  };
}
