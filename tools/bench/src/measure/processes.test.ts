import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { usageOf } from './processes.ts';

// The kernel counts an ended child in hundredths of a second, for user and for system, and what a process needs for its end
// as well. A child that is left out or counted twice makes a difference of 250 at least.
const exactMs = 120;

const burner = `
  const { execFileSync } = require('node:child_process');
  const own = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };
  const burn = (ms) => { while (own() < ms) Math.sqrt(Math.random()); };
  if (process.argv[2] === 'below') { burn(Number(process.argv[3])); process.stdout.write(String(own())); }
  else {
    const below = Number(execFileSync(process.execPath, [__filename, 'below', '250'], { encoding: 'utf8' }));
    burn(400);
    process.send({ own: own(), below });
    process.on('disconnect', () => process.exit());
  }`;

let folder = '';
let child: ChildProcess;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bench-usage-'));
  const program = join(folder, 'burner.cjs');
  writeFileSync(program, burner);
  child = fork(program, { execArgv: [] });
});

afterAll(() => {
  child.disconnect();
  rmSync(folder, { recursive: true });
});

test('the CPU of a process and of its ended children is what they count themselves', async () => {
  const [{ own, below }] = (await once(child, 'message')) as [{ own: number; below: number }];
  const { cpuMs, residentBytes } = usageOf([child.pid as number]);
  expect(own).toBeGreaterThan(399);
  expect(below).toBeGreaterThan(249);
  expect(Math.abs(cpuMs - own - below)).toBeLessThan(exactMs);
  expect(residentBytes).toBeGreaterThan(10_000_000);
  // It has ended no thread, so what it used itself is known to less than a hundredth.
  expect(cpuMs % 10).not.toBe(0);
});

test('no processes have used nothing', () => {
  expect(usageOf([])).toEqual({ cpuMs: 0, residentBytes: 0 });
});
