import { patienceMs, startSystem, type TestSystem } from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fixedCode, runConformance } from '../src/index.ts';
import { unpassed } from './unpassed.ts';

let system: TestSystem;

beforeAll(async () => {
  system = await startSystem({
    gateways: 2,
    cores: 2,
    // So that a message which nobody acknowledges comes again soon.
    gatewayEnv: { DELIVERY_ACK_DEADLINE_MS: '200' },
    // In production numbers must be possible ones, and those of the kit are.
    coreEnv: { DELIVERY_ACK_DEADLINE_MS: '200', DELIVERY_RETRY_MS: '300', NUMBERS: 'possible' },
  });
});

afterAll(() => system?.stop());

test('our gateways pass every check, and pass them again with the data of the first time', async () => {
  const options = { url: system.url, codeOf: fixedCode('000000'), timeoutMs: patienceMs };
  expect(unpassed(await runConformance({ ...options, slow: true }))).toEqual([]);
  expect(unpassed(await runConformance({ ...options, only: ['replay', 'group-create'] }))).toEqual([]);
});
