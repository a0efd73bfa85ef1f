import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, jest, test } from '@jest/globals';
import { patienceMs, until, within } from './patience.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

test('a wait that is in vain says what it waited for and what it saw', async () => {
  jest.useFakeTimers();
  try {
    const waiting = until(
      'three have come',
      () => ({ come: 2 }),
      ({ come }) => come === 3,
    );
    const failed = expect(waiting).rejects.toThrow(
      `waited ${patienceMs} ms until three have come; saw { come: 2 }`,
    );
    await jest.advanceTimersByTimeAsync(patienceMs);
    await failed;
    const never = expect(within('for an answer', new Promise(() => {}))).rejects.toThrow('for an answer');
    await jest.advanceTimersByTimeAsync(patienceMs);
    await never;
  } finally {
    jest.useRealTimers();
  }
});

test('what a look throws ends the wait at once', async () => {
  const look = () => Promise.reject(new Error('the process has ended'));
  await expect(until('it is ready', look)).rejects.toThrow('the process has ended');
});

function testFilesBelow(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return /^(node_modules|dist)$/.test(entry.name) ? [] : testFilesBelow(path);
    return /\.test\.ts$/.test(path) || /\/test\/.*\.ts$/.test(path) ? [path] : [];
  });
}

test('no test and no hook ends before its waits can say what they waited for', () => {
  const { testTimeout } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).jest;
  expect(testTimeout).toBeGreaterThanOrEqual(2 * patienceMs);
  const files = ['apps', 'packages', 'tools', 'examples'].flatMap((dir) => testFilesBelow(join(root, dir)));
  expect(files.length).toBeGreaterThan(100);
  // The last argument of a test, of a hook, of a timer; what a file says for all of its own.
  const short = files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/(?:\},\s*([\d_]{4,}),?\s*\);|jest\.setTimeout\(([\d_]+))/g)]
      .filter(([, last, all]) => Number((last ?? all ?? '').replaceAll('_', '')) < testTimeout)
      .map(([text]) => `${relative(root, file)}: ${text}`),
  );
  expect(short).toEqual([]);
});
