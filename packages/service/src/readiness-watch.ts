import type { Lifecycle } from './lifecycle.ts';
import type { Log } from './log.ts';
import { seeOf } from './runbook.ts';
import type { ServiceMetrics } from './service-metrics.ts';

const everyMs = 1_000;

/**
 * Looks at the readiness of a process each second: the metric `ready` has each check, and the log has a line when
 * the process stops being ready, and one when it is ready again.
 *
 * @returns ends it
 */
export function watchReadiness({
  lifecycle,
  log,
  metrics,
}: {
  lifecycle: Pick<Lifecycle, 'readiness' | 'stopping'>;
  log: Log;
  metrics: Pick<ServiceMetrics, 'ready'>;
}): () => void {
  let isLooking = false;
  let wasReady: boolean | undefined;
  let lostAt = 0;
  let see = '';

  async function look(): Promise<void> {
    const { ready, checks } = await lifecycle.readiness();
    const failed = Object.entries(checks).filter(([, answer]) => answer !== 'ok');
    for (const [check, answer] of Object.entries(checks))
      metrics.ready.set({ check }, answer === 'ok' ? 1 : 0);
    if (lifecycle.stopping.aborted) return;
    if (ready && wasReady === false) log.info({ afterMs: Date.now() - lostAt, see }, 'ready again');
    if (!ready && wasReady) {
      lostAt = Date.now();
      see = seeOf(failed[0]?.[0] ?? '');
      log.warn({ checks: Object.fromEntries(failed), see }, 'not ready');
    }
    // A process that was never ready is still starting, which is no news.
    if (ready || wasReady !== undefined) wasReady = ready;
  }

  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    void look().finally(() => {
      isLooking = false;
    });
  }, everyMs);
  return () => clearInterval(timer);
}
