import { units } from '../workloads/figures.ts';
import { cpuChart, rolesOf, throughputChart } from './cpu-chart.ts';
import { type Curve, climbMax, growthCurves } from './growth.ts';
import { growthChart } from './growth-chart.ts';
import { latencyChart } from './latency-chart.ts';
import { pageStyle } from './page-style.ts';
import type { Report, Spread, Summary } from './report.ts';
import { chartStyle, element, escapeMarkup } from './svg.ts';
import { columns, digits } from './table.ts';

/** The whole report as one page that needs nothing else. */
export function htmlReport(report: Report, summaries: readonly Summary[]): string {
  const { command, startedAt, machine, notMeasured } = report;
  const { processor, cores, memoryGiB, system, node, commit } = machine;
  const facts = [
    ['command', command],
    ['started', `${startedAt.slice(0, 19).replace('T', ' ')} UTC`],
    ['commit', commit],
    ['machine', `${processor}, ${cores} cores, ${memoryGiB} GiB, ${system}, Node ${node}`],
  ] as const;
  const curves = growthCurves(summaries);
  const usual = summaries.filter(({ workload }) => !workload.startsWith('growth-'));
  const body = [
    element('h1', {}, 'What the benchmark measured'),
    element(
      'dl',
      {},
      ...facts.map(([name, value]) => element('dt', {}, name) + element('dd', {}, escapeMarkup(value))),
    ),
    ...faults(summaries),
    ...(notMeasured.length > 0 ? [element('h2', {}, 'Not measured'), list(notMeasured)] : []),
    element('h2', {}, 'Figures'),
    element('p', {}, 'Medians; over several runs, with the lowest and the highest.'),
    figureTable(summaries),
    ...saturated(summaries),
    meanings(summaries),
    ...charts(usual, 'Server CPU a delivery, microseconds, by role', cpuChart, legend(rolesOf(usual))),
    ...charts(usual, 'Acknowledged deliveries a second', throughputChart),
    ...charts(usual, 'Latency from send to receipt: p50 · p95 · p99', latencyChart),
    ...growth(curves),
  ];
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Benchmark ${escapeMarkup(startedAt.slice(0, 19))}</title><style>${chartStyle}${pageStyle}</style>`;
  return `<!doctype html>\n<html lang="en"><head>${head}</head>\n<body>\n${body.join('\n')}\n</body></html>\n`;
}

function faults(summaries: readonly Summary[]): string[] {
  const lines = summaries.flatMap(({ workload, target, faults: all }) =>
    all.map((fault) => `${workload}, ${target}: ${fault}`),
  );
  if (lines.length === 0) return [element('p', {}, 'In no run was anything lost, doubled or reordered.')];
  return [
    element('h2', {}, 'Faults'),
    element('p', {}, 'A run with a fault has no figures; medians are of the others.'),
    element('div', { class: 'faults' }, list(lines)),
  ];
}

/** Of runs in which the server was not the limit. */
function saturated(summaries: readonly Summary[]): string[] {
  const lines = summaries
    .filter(({ figures }) => figures.is_saturated)
    .map(
      ({ workload, target }) =>
        `${workload}, ${target}: the load generator was the limit; the server can do more`,
    );
  return lines.length > 0 ? [list(lines)] : [];
}

function figureTable(summaries: readonly Summary[]): string {
  const used = columns.filter(([, name]) => summaries.some(({ figures }) => figures[name]));
  const head = ['workload', 'target', 'runs', ...used.map(([title]) => title)].map((title) =>
    element('th', {}, title),
  );
  const rows = summaries.map(({ workload, target, runs, faults: all, figures }) => {
    const failed = all.length > 0 ? `, ${all.length} failed` : '';
    const cells = used.map(([, name]) => element('td', { class: 'number' }, spreadCell(figures[name])));
    return element(
      'tr',
      {},
      element('th', {}, workload),
      element('td', {}, target),
      element('td', {}, runs + failed),
      ...cells,
    );
  });
  const content = element('thead', {}, element('tr', {}, ...head)) + element('tbody', {}, ...rows);
  return element('div', { class: 'wide' }, element('table', {}, content));
}

function spreadCell(spread: Spread | undefined): string {
  if (!spread) return '–';
  const { median, lowest, highest } = spread;
  if (lowest === highest) return digits(median);
  return `${digits(median)}<br>${element('small', {}, `${digits(lowest)} – ${digits(highest)}`)}`;
}

function meanings(summaries: readonly Summary[]): string {
  const used = columns.filter(([, name]) => summaries.some(({ figures }) => figures[name]));
  const lines = used.map(([title, name]) => `${title}: ${units[name] ?? name}`);
  return element('details', {}, element('summary', {}, 'What the columns mean'), list(lines));
}

function charts(
  summaries: readonly Summary[],
  title: string,
  draw: (workload: string, summaries: readonly Summary[]) => string | undefined,
  before = '',
): string[] {
  const drawn = [...new Set(summaries.map(({ workload }) => workload))].flatMap((workload) => {
    const svg = draw(
      workload,
      summaries.filter((one) => one.workload === workload),
    );
    return svg ? [element('figure', {}, element('figcaption', {}, workload), svg)] : [];
  });
  return drawn.length > 0 ? [element('h2', {}, title), before, ...drawn] : [];
}

function legend(roles: readonly string[]): string {
  const keys = roles.map(
    (role) => `${element('i', { style: `background: var(--role-${role})` })}${escapeMarkup(role)}`,
  );
  return element('p', { class: 'legend' }, ...keys.map((key) => element('span', {}, key)));
}

function growth(curves: readonly Curve[]): string[] {
  if (curves.length === 0) return [];
  const rows = curves.flatMap(({ dimension, points }) =>
    points.map(({ value, cpu, ratio = 0 }) => {
      const isOver = ratio > climbMax;
      const cells = [
        spreadCell(cpu),
        ratio > 0 ? `× ${ratio.toFixed(2)}` : '–',
        isOver ? 'climbs more than 20 %' : '',
      ];
      const name =
        element('th', {}, dimension) + element('td', { class: 'number' }, value.toLocaleString('en'));
      return element(
        'tr',
        isOver ? { class: 'over' } : {},
        name,
        ...cells.map((cell) => element('td', { class: 'number' }, cell)),
      );
    }),
  );
  const titles = ['', 'value', 'CPU µs/delivery', 'to the base', ''].map((title) => element('th', {}, title));
  const content = element('thead', {}, element('tr', {}, ...titles)) + element('tbody', {}, ...rows);
  return [
    element('h2', {}, 'Cost that does not grow'),
    element(
      'p',
      {},
      'Server CPU a delivery at the same pace, one thing varied at a time, against the base point; dashed: 20 % more.',
    ),
    element('figure', {}, growthChart(curves)),
    element('div', { class: 'wide' }, element('table', {}, content)),
  ];
}

function list(lines: readonly string[]): string {
  return element('ul', {}, ...lines.map((content) => element('li', {}, escapeMarkup(content))));
}
