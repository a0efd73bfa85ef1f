import { type Prometheus, panelQueries } from '@hooligram/observability';

/** What has no data while nothing is wrong, or without something that is not ours. */
const emptyOften: Readonly<Record<string, string>> = {
  'hooligram_ready == 0': 'no check fails',
  'hooligram_draining == 1': 'no process drains',
};

/** @returns a line for each query of a panel without data, and for each rule that Prometheus cannot evaluate */
export async function unanswered(prometheus: Prometheus): Promise<string[]> {
  const lines: string[] = [];
  for (const query of panelQueries()) {
    const values = await prometheus.query(query);
    // The quantile of a histogram without an observation in the time that is looked at is no number.
    if (!values.some(Number.isFinite) && !(query in emptyOften)) lines.push(`no data for ${query}`);
  }
  for (const { name, lastError } of await prometheus.rules())
    if (lastError) lines.push(`${name}: ${lastError}`);
  return lines;
}
