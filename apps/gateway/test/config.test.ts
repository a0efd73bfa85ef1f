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

test('a gateway whose stop leaves no time for its drain behind the grace does not start, and says by how much', () => {
  const times = { DRAIN_SECONDS: '10', LISTEN_GRACE_MS: '20000' };
  expect(readConfig(gatewayConfig, { ...times, STOP_TIMEOUT_MS: '35000' }).LISTEN_GRACE_MS).toBe(20_000);
  expect(() => readConfig(gatewayConfig, { ...times, STOP_TIMEOUT_MS: '34999' })).toThrow(
    'STOP_TIMEOUT_MS must be at least 5000 more than LISTEN_GRACE_MS and DRAIN_SECONDS',
  );
});
