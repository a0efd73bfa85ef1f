import { fuzzSeed, startSystem, type TestSystem, uniqueSid, until } from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fuzz } from '../src/fuzz/fuzz.ts';

const seed = fuzzSeed();

let system: TestSystem;

beforeAll(async () => {
  system = await startSystem({ gateways: 1, cores: 1, gatewayEnv: { BAD_FRAMES_MAX: '75' } });
});

afterAll(() => system?.stop());

test(`whatever is sent, every request has exactly one answer or its connection a documented end, and others chat on (seed ${seed})`, async () => {
  const processes = [system.gateway(0), system.core(0)];
  const pids = processes.map(({ pid }) => pid);
  expect(await fuzz({ url: system.gateway(0).url, frames: 9_000, seed, newSid: uniqueSid })).toEqual([]);
  expect(processes.map(({ pid, process }) => (process.isRunning() ? pid : 'ended'))).toEqual(pids);
  for (const process of processes) await until(`${process.name} is ready`, () => process.isReady());
});
