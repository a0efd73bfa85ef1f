import { setTimeout as pause } from 'node:timers/promises';
import { type Prometheus, panelQueries } from '@hooligram/observability';

/** What has no data while nothing is wrong. */
const emptyOften: Readonly<Record<string, string>> = {
  'hooligram_ready == 0': 'no check fails',
  'hooligram_draining == 1': 'no process drains',
  'hooligram_redis_connected == 0': 'no connection to Redis is gone',
  'hooligram_core_database_connected == 0': 'Postgres answers',
  'ALERTS{alertstate="firing"}': 'no alert fires',
  'hooligram_gateway_certificate_expires_seconds - time()': 'no gateway of the stack has a certificate',
};

const pollMs = 500;
/** Quantiles have data again when something was observed since the last fault. */
const answeredTimeoutMs = 90_000;

/** @returns a line for each query of a panel that gets no data, and for each rule that Prometheus cannot evaluate */
export async function unanswered(prometheus: Prometheus, signal: AbortSignal): Promise<string[]> {
  const begunAt = performance.now();
  let queries = panelQueries().filter((query) => !(query in emptyOften));
  for (;;) {
    const answers = await Promise.all(queries.map((query) => prometheus.query(query)));
    // The quantile of a histogram without an observation in the time that is looked at is no number.
    queries = queries.filter((_, i) => !answers[i]?.some(Number.isFinite));
    if (queries.length === 0 || performance.now() - begunAt > answeredTimeoutMs) break;
    await pause(pollMs, undefined, { signal });
  }
  const failed = (await prometheus.rules()).filter(({ lastError }) => lastError);
  return [
    ...queries.map((query) => `no data for ${query}`),
    ...failed.map(({ name, lastError }) => `${name}: ${lastError}`),
  ];
}
