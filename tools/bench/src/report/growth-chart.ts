import { scaleLinear, scalePoint } from 'd3-scale';
import { type Curve, climbMax } from './growth.ts';
import { chart, element, hint, line, standalone, text } from './svg.ts';
import { digits } from './table.ts';

const columns = 3;
const panelWidth = 250;
const panelHeight = 210;
const inset = { left: 48, right: 22, top: 34, bottom: 30 };

const titles: Readonly<Record<Curve['dimension'], string>> = {
  connections: 'connections',
  groups: 'groups',
  gateways: 'gateways',
  cores: 'cores',
  messages: 'messages in the database',
};

/** The cost of a delivery against its cost at the base point, a panel a dimension; +20 % is a dashed line. */
export function growthChart(curves: readonly Curve[]): string {
  const { width, height } = size(curves);
  const highest = Math.max(
    1.5,
    ...curves.flatMap(({ points }) => points.map(({ ratio = 0 }) => ratio * 1.1)),
  );
  const panels = curves.map((curve, at) => {
    const x = (at % columns) * panelWidth;
    const y = Math.floor(at / columns) * panelHeight;
    return element('g', { transform: `translate(${x} ${y})` }, ...panel(curve, highest));
  });
  return chart(width, height, 'server CPU a delivery as the system grows, against the base point', panels);
}

/** The same as a file that pages can show. */
export function growthFile(curves: readonly Curve[]): string {
  const { width, height } = size(curves);
  return standalone(growthChart(curves), width, height);
}

function size(curves: readonly Curve[]): { width: number; height: number } {
  return { width: columns * panelWidth, height: Math.ceil(curves.length / columns) * panelHeight };
}

function panel({ dimension, points }: Curve, highest: number): string[] {
  const bottom = panelHeight - inset.bottom;
  const right = panelWidth - inset.right;
  const y = scaleLinear([0, highest], [bottom, inset.top]);
  const x = scalePoint(
    points.map(({ value }) => String(value)),
    [inset.left, right],
  ).padding(0.4);
  const at = (value: number) => x(String(value)) as number;
  const grid = y
    .ticks(4)
    .flatMap((tick) => [
      line(inset.left, y(tick), right, y(tick), 'grid'),
      text(`× ${tick}`, inset.left - 6, y(tick) + 4, 'small', 'end'),
    ]);
  const known = points.filter(({ ratio }) => ratio !== undefined);
  const path = known.map(({ value, ratio = 0 }) => `${at(value).toFixed(1)},${y(ratio).toFixed(1)}`);
  const dots = known.map(({ value, cpu, ratio = 0 }) => {
    const shape = { cx: at(value), cy: y(ratio), r: 5, class: ratio > climbMax ? 'point over' : 'point' };
    const about = hint(`${value.toLocaleString('en')} ${titles[dimension]}: ${digits(cpu?.median ?? 0)} µs`);
    return (
      element('circle', shape, about) +
      text(ratio.toFixed(2), at(value), y(ratio) + 20, 'strong small', 'middle')
    );
  });
  return [
    text(titles[dimension], inset.left, 18, 'title'),
    ...grid,
    line(inset.left, y(climbMax), right, y(climbMax), 'limit'),
    element('polyline', { points: path.join(' '), class: 'curve' }),
    ...dots,
    ...points.map(({ value }) => text(value.toLocaleString('en'), at(value), bottom + 18, 'small', 'middle')),
  ];
}
