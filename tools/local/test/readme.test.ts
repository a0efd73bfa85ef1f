import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';

const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const operations = readFileSync(join(root, 'docs/operations.md'), 'utf8');

/** The variables that a process says it reads, as rows of the table in docs/operations.md. */
function tableOf(app: string): string[] {
  const help = execFileSync('node', [join(root, `apps/${app}/dist/main.js`), '--help'], { encoding: 'utf8' });
  return help
    .split('\n')
    .filter((line) => /^ {2}[A-Z]/.test(line))
    .map((line) => {
      const [variable, value = '', ...meaning] = line.trim().split(/ {2,}/);
      return `| \`${variable}\` | ${value.replace(/^default /, '')} | ${meaning.join(' ')} |`;
    });
}

describe('docs/operations.md', () => {
  test.each(['gateway', 'core', 'canary'])(
    'lists every variable of the %s with its default and meaning, and no other',
    (app) => {
      const [, section = ''] = operations.split(`\n### ${app}\n`);
      const rows = section
        .split(/\n#/)[0]
        ?.split('\n')
        .filter((line) => line.startsWith('| `'));
      expect(rows).toEqual(tableOf(app));
    },
  );

  test('names no program that is not built', () => {
    const programs = [...operations.matchAll(/\bnode ((?:apps|packages)\/\S+\.js)/g)].map(
      ([, path]) => path ?? '',
    );
    expect(programs.length).toBeGreaterThan(3);
    expect(programs.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});

describe('the README', () => {
  test('links to nothing that is not there', () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, path]) => path ?? '');
    expect(links.length).toBeGreaterThan(10);
    expect(links.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test('gives commands that package.json has', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const [, commands = ''] = /```sh\n([\s\S]*?)```/.exec(readme) ?? [];
    const names = [...commands.matchAll(/^npm (?:run )?(\w+)/gm)].map(([, name]) => name ?? '');
    expect(names).toEqual(['start', 'test']);
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(names));
  });
});
