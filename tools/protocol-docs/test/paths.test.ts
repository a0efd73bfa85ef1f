import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeFrame } from '@hooligram/protocol';
import { describe, expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const pagesIn = (folder: string) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...pagesIn('docs'),
  ...pagesIn('docs/decisions'),
  ...pagesIn('docs/results'),
];

const folders = ['apps', 'docs', 'examples', 'infra', 'packages', 'prisma', 'tools'];
const made = new Set(['node_modules', 'dist', 'generated', '.turbo']);

/** The paths of all files that are written by hand, from the root. */
function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (made.has(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

const files = folders.flatMap(filesBelow);
const names = new Set(files.map((path) => basename(path)));
/** All words of the sources. This file has some that are made up. */
const words = new Set(
  files
    .filter((path) => /\.(ts|tsx|mjs|sql|prisma)$/.test(path) && basename(path) !== 'paths.test.ts')
    .flatMap((path) => read(path).match(/[\w$]+/g) ?? []),
);

const withoutBlocks = (text: string) => text.replace(/^```[\s\S]*?^```$/gm, '');
const quoted = (text: string) =>
  [...withoutBlocks(text).matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);

/** Built files stand for their sources. */
const sourceOf = (path: string) =>
  path.replace(/^((?:apps|packages|tools)\/[^/]+)\/dist\/(.*)\.js$/, '$1/src/$2.ts');

/** Quoted paths and file names that lead nowhere. */
function missingPaths(text: string): string[] {
  return quoted(text).filter((span) => {
    if (!/^[\w.@-]+(\/[\w.@-]+)*\/?$/.test(span)) return false;
    if (folders.includes(span.split('/')[0] ?? '')) return !existsSync(join(root, sourceOf(span)));
    return !span.includes('/') && /\.(ts|tsx|mjs|sql)$/.test(span) && !names.has(span);
  });
}

/** Links to files, and to headings of them, that lead nowhere. */
function missingLinks(page: string, text: string): string[] {
  const links = [...withoutBlocks(text).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, link = '']) => link);
  return links.filter((link) => {
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : join(dirname(page), path);
    if (!existsSync(join(root, target))) return true;
    return anchor !== undefined && !anchorsOf(path === '' ? text : read(target)).includes(anchor);
  });
}

/** What GitHub makes of a page's headings. */
function anchorsOf(text: string): string[] {
  return [...withoutBlocks(text).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Quoted names of functions, classes and fields that no source has. */
function missingNames(text: string): string[] {
  return quoted(text).filter(
    (span) => /^#?[a-zA-Z]\w*(\.#?[a-zA-Z]\w*)*$/.test(span) && !names.has(span) && !isKnown(span),
  );
}

const isKnown = (span: string) => span.split('.').every((part) => words.has(part.replace('#', '')));

/** Quoted variables of the environment, types of frames and metrics that no source has. */
function missingConstants(text: string): string[] {
  return quoted(text)
    .map((span) => span.replace(/^hooligram_/, '').replace(/[{=].*$/, ''))
    .filter((name) => /^([A-Z]+(_[A-Z0-9]+)+|(core|gateway)_[a-z_]+)$/.test(name) && !words.has(name));
}

describe.each(pages)('%s', (page) => {
  test('names no file that does not exist', () => {
    expect(missingPaths(read(page))).toEqual([]);
  });

  test('links to nothing that does not exist', () => {
    expect(missingLinks(page, read(page))).toEqual([]);
  });

  test('names no variable, frame or metric that the sources do not have', () => {
    expect(missingConstants(read(page))).toEqual([]);
  });
});

test.each(['docs/architecture.md', 'docs/glossary.md', 'docs/races.md', 'CONTRIBUTING.md'])(
  '%s names no function, class or variable that the sources do not have',
  (page) => {
    expect(missingNames(read(page))).toEqual([]);
  },
);

test('every page that a line of the log names has the section that it names', () => {
  const named = files
    .filter((path) => /^(apps|packages)\/.*\/src\/.*(?<!\.test)\.ts$/.test(path))
    .flatMap((path) => [...read(path).matchAll(/'(docs\/[\w/-]+\.md)(?:#([\w-]+))?'/g)]);
  const missing = named.filter(([, page = '', anchor]) => {
    if (!existsSync(join(root, page))) return true;
    return anchor !== undefined && !anchorsOf(read(page)).includes(anchor);
  });
  expect(named.length).toBeGreaterThan(20);
  expect(missing.map(([text]) => text)).toEqual([]);
});

test('the frames that the README has people paste are sound requests', () => {
  const frames = read('README.md').match(/^\{"id".*$/gm) ?? [];
  expect(frames).toHaveLength(4);
  for (const frame of frames) {
    expect(decodeFrame(new TextEncoder().encode(frame))).toMatchObject({ kind: 'request', faults: [] });
  }
});

test('every race names the file that holds its cure and the test that proves it', () => {
  const races = read('docs/races.md').split(/^### /m).slice(1);
  expect(races.length).toBeGreaterThan(29);
  for (const race of races) {
    const [title = '', ...lines] = race.split('\n');
    const [, code = '', proof = ''] =
      /\*\*Code:\*\*([\s\S]*?)\*\*Test:\*\*([\s\S]*?)(\n\n|$)/.exec(lines.join('\n')) ?? [];
    expect([title, quoted(code).filter((path) => !path.endsWith('.test.ts'))]).not.toEqual([title, []]);
    expect([title, quoted(proof).filter((path) => path.endsWith('.test.ts'))]).not.toEqual([title, []]);
  }
});

test('every entry of the glossary names the file where it lives', () => {
  const entries = read('docs/glossary.md').split(/^- /m).slice(1);
  expect(entries.length).toBeGreaterThan(30);
  for (const entry of entries) expect(entry).toMatch(/`(apps|packages|tools)\/[^`]+\.ts`/);
});

test('what leads nowhere is found', () => {
  const page = [
    '`apps/gateway/src/nowhere.ts`, `nowhere.ts`, `apps/core/dist/main.js`, `packages/bus/src/entry.ts`',
    '`Session.onMessage`, `Session.onNothing`, `main.ts`',
    '`NO_SUCH_VARIABLE`, `hooligram_core_nothing_total{queue}`, `GAP_WAIT_MS`, `MESSAGING_SEND_REQUEST`',
    '[a](nowhere.md), [b](protocol.md#nowhere), [c](protocol.md#close-codes), [d](#nowhere)',
  ].join('\n');
  expect(missingPaths(page)).toEqual(['apps/gateway/src/nowhere.ts', 'nowhere.ts']);
  expect(missingNames(page)).toEqual(['Session.onNothing', 'NO_SUCH_VARIABLE']);
  expect(missingConstants(page)).toEqual(['NO_SUCH_VARIABLE', 'core_nothing_total']);
  expect(missingLinks('docs/page.md', page)).toEqual(['nowhere.md', 'protocol.md#nowhere', '#nowhere']);
});
