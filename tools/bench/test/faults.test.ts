import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startSystem, type TestSystem } from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Report } from '../src/report/report.ts';
import { type Copies, proxyWithCopies } from './proxy-with-copies.ts';

type Bench = { readonly code: number | null; readonly report: Report; readonly page: string };

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));
let system: TestSystem;
let results = '';
/** By how often one delivery is passed on. */
let benches: Readonly<Record<Copies, Bench>>;

beforeAll(async () => {
  // All sign up at once, three times over: a busy machine takes its time for it.
  const times = { REQUEST_DEADLINE_MS: '120000', REQUEST_REPEAT_MS: '130000', REQUEST_PATIENCE_MS: '300000' };
  system = await startSystem({ gateways: 1, gatewayEnv: times });
  results = mkdtempSync(join(tmpdir(), 'bench-results-'));
  const [lost, honest, doubled] = await Promise.all([bench(0), bench(1), bench(2)]);
  benches = { 0: lost, 1: honest, 2: doubled };
});

afterAll(async () => {
  await system.stop();
  rmSync(results, { recursive: true });
});

/** The benchmark as a user starts it, on a running system behind a faulty proxy. */
async function bench(copies: Copies): Promise<Bench> {
  const proxy = await proxyWithCopies(system.gateway(0).url, copies);
  const folder = join(results, String(copies));
  const flags = ['--workload', 'direct', '--seconds', '2', '--warm-up', '0', '--results', folder];
  try {
    const code = await new Promise<number | null>((resolve) => {
      const child = execFile(process.execPath, [program, ...flags, '--url', proxy.url], () =>
        resolve(child.exitCode),
      );
    });
    const [json = '', page = ''] = ['.json', '.md'].map((ending) =>
      readFileSync(join(folder, readdirSync(folder).find((name) => name.endsWith(ending)) ?? ''), 'utf8'),
    );
    return { code, report: JSON.parse(json), page };
  } finally {
    await proxy.stop();
  }
}

test('a running system is measured, without the CPU that cannot be known', () => {
  const { code, report } = benches[1];
  const [trial] = report.results;
  expect(trial).toMatchObject({ workload: 'direct', target: 'url' });
  expect(trial?.fault).toBeUndefined();
  expect(trial?.figures?.messages_per_s).toBeGreaterThan(10);
  expect(trial?.figures?.deliveries_per_s).toBeCloseTo(2 * (trial?.figures?.messages_per_s ?? 0), 3);
  expect(trial?.figures).not.toHaveProperty('cpu_us');
  expect(code).toBe(0);
});

test.each([
  ['lost', 0],
  ['doubled', 2],
] as const)('a trial in which one delivery is %s has a fault and no figures', (_, copies) => {
  const { code, report, page } = benches[copies];
  const [trial] = report.results;
  expect(trial?.fault).toMatch(/was sent message \d+ of group \d+, after \d+$/);
  expect(trial?.figures).toBeUndefined();
  expect(page).toContain(trial?.fault);
  expect(code).toBe(1);
});
