import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './paths.ts';

const introduction = `# Metrics

What \`/metrics\` of each process exposes. This page is made from the code (\`npm run build -- --docs\`), and a test
compares the two; \`node apps/gateway/dist/main.js --metrics\` prints the same. Which of them to look at first is in
[operations.md](operations.md#what-to-watch); the rules, alerts and dashboards that are made of them are in
[infra/prometheus](../infra/prometheus/README.md) and [infra/grafana](../infra/grafana/README.md).

Every metric has the label \`role\`: \`gateway\`, \`core\` or \`canary\`. A labelled counter whose values are listed or
counted here has all its series from the start, with 0; one whose values are not, because there are too many, has those of a value
from its first count on, and begins them with 0, too. Metrics of what all cores see alike say so: take their \`max\`, not their \`sum\`.
Where \`REDIS_URL\` names several Redis, those of one of them have the label \`redis\`, too: its place in the list, from 0.
`;

const names = ['gateway', 'core', 'canary'] as const;
/** A build has one list. */
const rows = new Map<string, readonly string[]>();

/** @returns rows of the tables of both processes, as `--metrics` of the built programs prints them */
function rowsOf(app: (typeof names)[number]): readonly string[] {
  const known = rows.get(app);
  if (known) return known;
  const program = join(root, 'apps', app, 'dist/main.js');
  const table = execFileSync(process.execPath, [program, '--metrics'], { encoding: 'utf8' });
  const read = table.trimEnd().split('\n').slice(2);
  rows.set(app, read);
  return read;
}

/** Names of everything that a process exposes, as Prometheus calls the families: without `_bucket`, `_sum`, `_count`. */
export function metricNames(app: (typeof names)[number]): string[] {
  return rowsOf(app).map((row) => /`(\w+)`/.exec(row)?.[1] ?? '');
}

/** For each metric with labels, how many series it has from the start; undefined if the values of a label are not known. */
export function seriesFromTheStart(
  app: (typeof names)[number],
  type: string,
): Map<string, number | undefined> {
  const read = rowsOf(app).map((row) => row.split(' | ').map((cell) => cell.replace(/^\| /, '')));
  const ofType = read.filter(([, itsType, labels]) => itsType === type && labels !== '');
  return new Map(ofType.map(([name = '', , labels = '']) => [name.replaceAll('`', ''), countSeries(labels)]));
}

/** @param labels as a table has them: "`type`: 24 values; `by`: gateway, client" */
function countSeries(labels: string): number | undefined {
  const counts = labels.split('; ').map((label) => {
    const [, values] = label.split(': ');
    return values === undefined
      ? undefined
      : Number(/^(\d+) values$/.exec(values)?.[1] ?? values.split(', ').length);
  });
  return counts.reduce(
    (all, count) => (all === undefined || count === undefined ? undefined : all * count),
    1,
  );
}

/** The text of docs/metrics.md. */
export function metricsPage(): string {
  const [gateway, core, canary] = [rowsOf('gateway'), rowsOf('core'), rowsOf('canary')];
  const isShared = (row: string) => gateway.includes(row) && core.includes(row);
  const isOwn = (row: string) => row.includes('`hooligram_');
  return [
    introduction,
    section(
      'Gateway',
      gateway.filter((row) => !isShared(row) && isOwn(row)),
    ),
    section(
      'Core',
      core.filter((row) => !isShared(row) && isOwn(row)),
    ),
    section(
      'Canary',
      canary.filter((row) => !gateway.includes(row)),
      'Of [apps/canary](../apps/canary/README.md), if it runs. It has those of every process, too.',
    ),
    section(
      'Both',
      gateway.filter((row) => isShared(row) && isOwn(row)),
    ),
    section(
      'Every process of Node',
      gateway.filter((row) => !isOwn(row)),
      'Under the names that every Prometheus client gives them, so that boards and alerts of others fit.',
    ),
  ].join('\n');
}

function section(title: string, rows: readonly string[], text = ''): string {
  const head = ['| metric | type | labels | meaning |', '|---|---|---|---|'];
  return [`## ${title}`, '', ...(text ? [text, ''] : []), ...head, ...rows, ''].join('\n');
}
