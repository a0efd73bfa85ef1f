// SVG as text. What is drawn has classes, not colours: `chartStyle` gives them, light and dark.

type Attributes = Readonly<Record<string, string | number>>;

/** For HTML and SVG, in text and in attributes. */
export function escapeMarkup(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

export function element(name: string, attributes: Attributes, ...inner: readonly string[]): string {
  const written = Object.entries(attributes).map(
    ([key, value]) =>
      ` ${key}="${typeof value === 'number' ? Number(value.toFixed(2)) : escapeMarkup(value)}"`,
  );
  return `<${name}${written.join('')}>${inner.join('')}</${name}>`;
}

export function text(content: string, x: number, y: number, className = '', anchor = 'start'): string {
  return element('text', { x, y, class: className, 'text-anchor': anchor }, escapeMarkup(content));
}

export function line(x1: number, y1: number, x2: number, y2: number, className: string): string {
  return element('line', { x1, y1, x2, y2, class: className });
}

/** What is shown when the pointer rests on it. */
export function hint(content: string): string {
  return element('title', {}, escapeMarkup(content));
}

/** @param about what it shows, for those who do not see it */
export function chart(width: number, height: number, about: string, content: readonly string[]): string {
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${width} ${height}`,
    role: 'img',
    class: 'chart',
    'aria-label': about,
  };
  return element('svg', attributes, ...content);
}

/** The same as a file of its own: with its style, its ground, and a size. */
export function standalone(svg: string, width: number, height: number): string {
  const ground = element('rect', { width, height, class: 'ground' });
  const head = svg.indexOf('>') + 1;
  const sized = svg.slice(0, head).replace('<svg', `<svg width="${width}" height="${height}"`);
  return `${sized}<style>${chartStyle}</style>${ground}${svg.slice(head)}\n`;
}

const light = `
  --ground: #fcfcfb; --ink: #0b0b0b; --ink-2: #52514e; --grid: #e4e3df; --limit: #c23b3a; --plain: #2a78d6;
  --role-gateway: #2a78d6; --role-core: #1baf7a; --role-redis: #eda100; --role-postgres: #008300;
  --role-node: #4a3aa7; --role-server: #e34948;`;
const dark = `
  --ground: #1a1a19; --ink: #ffffff; --ink-2: #c3c2b7; --grid: #3a3936; --limit: #e66767; --plain: #3987e5;
  --role-gateway: #3987e5; --role-core: #199e70; --role-redis: #c98500; --role-postgres: #008300;
  --role-node: #9085e9; --role-server: #e66767;`;

const roles = ['gateway', 'core', 'redis', 'postgres', 'node', 'server'];

export const chartStyle = `
:root {${light}}
@media (prefers-color-scheme: dark) { :root {${dark}} }
.chart text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: var(--ink-2); }
.chart .strong { fill: var(--ink); }
.chart .title { fill: var(--ink); font-weight: 600; }
.chart .small { font-size: 11.5px; }
.chart .grid { stroke: var(--grid); stroke-width: 1; }
.chart .limit { stroke: var(--limit); stroke-width: 1.5; stroke-dasharray: 5 4; }
.chart .spread { stroke: var(--ink-2); stroke-width: 1.5; }
.chart .plain { fill: var(--plain); }
.chart .curve { stroke: var(--plain); stroke-width: 2; fill: none; }
.chart .point { fill: var(--plain); stroke: var(--ground); stroke-width: 2; }
.chart .over { fill: var(--limit); }
.chart .ground { fill: var(--ground); }
${roles.map((role) => `.chart .role-${role} { fill: var(--role-${role}); }`).join('\n')}
`;
