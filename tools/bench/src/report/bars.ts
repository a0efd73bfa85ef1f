import { scaleLinear } from 'd3-scale';
import { chart, element, hint, line, text } from './svg.ts';
import { digits } from './table.ts';

export type Bar = {
  readonly label: string;
  /** What it is made of, from the left. */
  readonly parts: readonly { readonly className: string; readonly name: string; readonly value: number }[];
  readonly lowest: number;
  readonly highest: number;
  readonly unit: string;
};

export const chartWidth = 760;
const left = 110;
const right = 150;
const rowHeight = 34;
const barHeight = 18;
const axisHeight = 24;
/** Between the parts of a bar. */
const gap = 2;

/** Lying bars, one below the other, each with its sum and, over several runs, a line from the lowest to the highest. */
export function bars(about: string, all: readonly Bar[]): string {
  const sums = all.map(sumOf);
  const scale = scaleLinear(
    [0, Math.max(...sums, ...all.map(({ highest }) => highest))],
    [left, chartWidth - right],
  );
  const height = all.length * rowHeight + axisHeight;
  const ticks = scale.ticks(5).flatMap((value) => {
    const x = scale(value);
    return [
      line(x, 0, x, height - axisHeight, 'grid'),
      text(value.toLocaleString('en'), x, height - 6, 'small', 'middle'),
    ];
  });
  const rows = all.map((bar, at) => row(bar, at * rowHeight, scale));
  return chart(chartWidth, height, about, [...ticks, ...rows]);
}

function row(bar: Bar, top: number, scale: (value: number) => number): string {
  const y = top + (rowHeight - barHeight) / 2;
  const middle = y + barHeight / 2;
  const baseline = middle + 4.5;
  let from = 0;
  const parts = bar.parts.map(({ className, name, value }) => {
    const x = scale(from);
    from += value;
    const width = Math.max(0.5, scale(from) - x - gap);
    const shape = { x, y, width, height: barHeight, rx: 2, class: className };
    return element('rect', shape, hint(`${bar.label}, ${name}: ${digits(value)} ${bar.unit}`));
  });
  const isSpread = bar.highest > bar.lowest;
  const spread = isSpread ? [line(scale(bar.lowest), middle, scale(bar.highest), middle, 'spread')] : [];
  const end = scale(Math.max(from, bar.highest));
  return [
    text(bar.label, left - 10, baseline, 'strong', 'end'),
    ...parts,
    ...spread,
    text(`${digits(from)} ${bar.unit}`, end + 8, baseline, 'strong'),
  ].join('');
}

function sumOf({ parts }: Bar): number {
  return parts.reduce((sum, { value }) => sum + value, 0);
}
