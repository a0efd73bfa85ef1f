import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { release } from './release.ts';

const root = join(import.meta.dirname, '../../..');

test('all packages have the release that the processes name', () => {
  const manifests = ['apps', 'packages', 'tools']
    .flatMap((folder) =>
      readdirSync(join(root, folder)).map((name) => join(root, folder, name, 'package.json')),
    )
    .filter((path) => existsSync(path));
  const others = [join(root, 'package.json'), ...manifests].filter(
    (path) => JSON.parse(readFileSync(path, 'utf8')).version !== release,
  );
  expect(others).toEqual([]);
});
