import { setTimeout as pause } from 'node:timers/promises';
import type { Prometheus } from '@hooligram/observability';

const pollMs = 100;
const silenceTimeoutMs = 180_000;
/** A fault that lasts until its alert fires ends after this time. No machine is so busy. */
const firesTimeoutMs = 90_000;

/** Waits until no alert is pending or firing. @throws Error when one stays */
export async function silence(prometheus: Prometheus, signal: AbortSignal): Promise<void> {
  const begunAt = performance.now();
  for (;;) {
    const alerts = await prometheus.alerts();
    const isScraped = (await prometheus.query('hooligram:acknowledged:rate5m > 0')).length > 0;
    if (alerts.length === 0 && isScraped) return;
    if (performance.now() - begunAt > silenceTimeoutMs) {
      throw new Error(`no silence: ${alerts.map(({ name }) => name).join(', ') || 'nothing is scraped'}`);
    }
    await pause(pollMs, undefined, { signal });
  }
}

/** Waits until an alert is noted as fired, or that has taken too long. */
export async function fires(
  alert: string,
  fired: ReadonlyMap<string, number>,
  signal: AbortSignal,
): Promise<void> {
  const begunAt = performance.now();
  while (!fired.has(alert) && performance.now() - begunAt < firesTimeoutMs) {
    await pause(pollMs, undefined, { signal });
  }
}

/** Notes by alert, after how many milliseconds it first fired before `end` was settled. */
export async function noteFired(
  fired: Map<string, number>,
  prometheus: Prometheus,
  end: Promise<unknown>,
): Promise<void> {
  const begunAt = performance.now();
  let isOver = false;
  const over = end.finally(() => {
    isOver = true;
  });
  over.catch(() => {});
  while (!isOver) {
    for (const { name, state } of await prometheus.alerts()) {
      if (state === 'firing' && !fired.has(name)) fired.set(name, performance.now() - begunAt);
    }
    await pause(pollMs);
  }
  await over;
}
