import { readConfig } from '@hooligram/service';
import { expect, test } from '@jest/globals';
import { gatewayConfig } from '../src/config.ts';

test('a gateway whose patience is less than a repetition may take does not start, and says by how much', () => {
  const times = { REQUEST_DEADLINE_MS: '100', REQUEST_REPEAT_MS: '200', REQUEST_SETTLE_MS: '50' };
  expect(readConfig(gatewayConfig, {}).REQUEST_PATIENCE_MS).toBe(28_000);
  expect(readConfig(gatewayConfig, { ...times, REQUEST_PATIENCE_MS: '350' }).REQUEST_PATIENCE_MS).toBe(350);
  expect(() => readConfig(gatewayConfig, { ...times, REQUEST_PATIENCE_MS: '349' })).toThrow(
    'REQUEST_PATIENCE_MS must be at least 350',
  );
  expect(() => readConfig(gatewayConfig, { REQUEST_REPEAT_MS: '8000' })).toThrow(
    'REQUEST_REPEAT_MS must be greater than REQUEST_DEADLINE_MS',
  );
});
