import { scaleLog } from 'd3-scale';
import { chartWidth } from './bars.ts';
import type { Summary } from './report.ts';
import { chart, element, hint, line, text } from './svg.ts';
import { digits } from './table.ts';

const percentiles = ['p50', 'p95', 'p99'] as const;
const left = 110;
const right = 150;
const rowHeight = 44;
const axisHeight = 24;
const radius = 5;

/** Latencies of one workload, a row a target: dots at the 50th, 95th and 99th percentile, on a logarithmic scale. */
export function latencyChart(workload: string, summaries: readonly Summary[]): string | undefined {
  const rows = summaries.flatMap(({ target, figures }) => {
    const values = percentiles.map((name) => figures[`${name}_ms`]?.median);
    return values.every((value) => value !== undefined) ? [{ target, values: values as number[] }] : [];
  });
  if (rows.length === 0) return undefined;
  const all = rows.flatMap(({ values }) => values);
  // Whole decades: each tick is a power of ten.
  const ends = [
    10 ** Math.floor(Math.log10(Math.min(...all))),
    10 ** Math.ceil(Math.log10(Math.max(...all))),
  ];
  const scale = scaleLog(ends, [left, chartWidth - right]);
  const height = rows.length * rowHeight + axisHeight;
  const ticks = decades(ends).flatMap((value) => {
    const x = scale(value);
    return [
      line(x, 0, x, height - axisHeight, 'grid'),
      text(`${value.toLocaleString('en')} ms`, x, height - 6, 'small', 'middle'),
    ];
  });
  const drawn = rows.map(({ target, values }, at) => {
    const y = at * rowHeight + 15;
    const [first = 0, , last = 0] = values;
    const dots = values.map((value, place) =>
      element(
        'circle',
        { cx: scale(value), cy: y, r: radius, class: 'point' },
        hint(`${target}, ${percentiles[place]}: ${digits(value)} ms`),
      ),
    );
    return [
      text(target, left - 10, y + 4.5, 'strong', 'end'),
      line(scale(first), y, scale(last), y, 'curve'),
      ...dots,
      text(values.map(digits).join(' · '), scale(last) + 12, y + 4.5, 'strong'),
    ].join('');
  });
  const about = `${workload}: latency at the 50th, 95th and 99th percentile, milliseconds`;
  return chart(chartWidth, height, about, [...ticks, ...drawn]);
}

function decades([from = 1, to = 1]: readonly number[]): number[] {
  const count = Math.round(Math.log10(to / from)) + 1;
  return Array.from({ length: count }, (_, at) => Number((from * 10 ** at).toPrecision(1)));
}
