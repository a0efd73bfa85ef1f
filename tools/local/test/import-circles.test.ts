import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hooligram-circles-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function check(most: number, files: Readonly<Record<string, string>>) {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const run = spawnSync(process.execPath, ['infra/local/circles.mjs', String(most), folder], {
    encoding: 'utf8',
  });
  const named = run.stdout.split('\n').filter((line) => line.startsWith('  '));
  return { status: run.status, named: named.map((line) => line.trim().slice(folder.length + 1)) };
}

const circle = {
  'a.ts': "import { b } from './parts/b.ts';\nexport const a = b;\n",
  'parts/b.ts': "import type { C } from '../c.ts';\nexport const b: C = 1;\n",
  'c.ts': "export * from './a.ts';\nexport type C = number;\n",
  'before.ts': "import { a } from './a.ts';\na;\n",
  'after.ts': "import './alone.ts';\n",
  'alone.ts': '',
};

test('a circle with more files than allowed fails the check, and its files are named, type imports counted', () => {
  expect(check(2, circle)).toEqual({ status: 1, named: ['a.ts', 'c.ts', 'parts/b.ts'] });
});

test('a circle with as many files as allowed passes', () => {
  expect(check(3, circle)).toEqual({ status: 0, named: [] });
});

test('files that import each other in one direction only are no circle, and tests do not count', () => {
  const files = { ...circle, 'c.ts': 'export type C = number;\n', 'c.test.ts': "import './a.ts';\n" };
  expect(check(1, files)).toEqual({ status: 0, named: [] });
});
