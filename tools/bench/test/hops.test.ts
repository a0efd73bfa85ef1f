import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSystem, type TestSystem } from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { LoadProcess } from '../src/load/load-process.ts';
import { tracing } from '../src/measure/hops.ts';
import type { RunningTarget } from '../src/targets/target.ts';
import { followMessages } from '../src/workloads/hops.ts';

let tracesFolder = '';
let system: TestSystem;
let load: LoadProcess;

beforeAll(async () => {
  tracesFolder = mkdtempSync(join(tmpdir(), 'bench-hops-'));
  const traces = tracing(tracesFolder);
  // Nothing is written or delivered twice because a busy machine was late.
  const gatewayEnv = {
    REQUEST_DEADLINE_MS: '120000',
    REQUEST_REPEAT_MS: '130000',
    REQUEST_PATIENCE_MS: '300000',
  };
  system = await startSystem({ gatewayEnv, env: { ...traces, DELIVERY_ACK_DEADLINE_MS: '600000' } });
  load = new LoadProcess(() => {}, traces);
});

afterAll(async () => {
  load?.stop();
  await system?.stop();
  rmSync(tracesFolder, { recursive: true });
});

test('a message is noted wherever it passes a socket, from its sender to its reader on another gateway, and in that order', async () => {
  const target: RunningTarget = {
    codec: 'hooligram',
    urls: system.gateways.map(({ url }) => url),
    code: '000000',
    roles: () => ({ gateway: system.gateways.map(({ pid }) => pid), core: [system.core(0).pid] }),
    stop: async () => {},
  };
  const figures = await followMessages(
    { target, load, seconds: 1, tracesFolder, log() {} },
    { pairs: 2, perSecond: 20, warmUpMessages: 0 },
  );
  expect(figures.hop_messages).toBeGreaterThan(0);
  for (const [name, us] of Object.entries(figures)) expect([name, us >= 0]).toEqual([name, true]);
});
