import { relative } from 'node:path';
import type { StackRun } from './stack-run.ts';

// Further ones are where one would expect them.
const namedMax = 4;

/** What the person at the terminal has to know of a stack that is ready. */
export function readyText(
  { layout, dataDir }: StackRun,
  code: string | undefined,
  elapsedMs: number,
): string {
  const near = relative('.', dataDir.path);
  const folder = near.startsWith('..') ? dataDir.path : near || '.';
  const alone = layout.gateways.map(({ name, url }) => `${url} (${name})`);
  const admin = [...layout.gateways, ...layout.cores].map((place) => `${place.admin} (${place.name})`);
  const signIn =
    code === undefined ? 'with the code that the number is sent' : `any number, with the code ${code}`;
  const rows = [
    ['open', layout.web],
    ['connect', layout.url],
    ...column('or', alone),
    ...column('admin', admin),
    ['sign in', signIn],
    ['logs', `${folder}/log/*.log`],
    ['stop', `Ctrl-C; the data stay in ${folder}`],
  ];
  const lines = rows.map(([label = '', text = '']) => `  ${label.padEnd(9)}${text}`);
  return `\nHooligram is ready after ${(elapsedMs / 1000).toFixed(1)} s\n${lines.join('\n')}`;
}

function column(label: string, texts: readonly string[]): string[][] {
  const named = texts.slice(0, namedMax).map((text, i) => [i === 0 ? label : '', text]);
  return texts.length > namedMax ? [...named, ['', `and ${texts.length - namedMax} more`]] : named;
}
