import { readConfig } from '@hooligram/service';
import { expect, test } from '@jest/globals';
import { coreConfig } from './config.ts';

test('a core that may take longer for a request than the gateways allow for does not start', () => {
  const needed = {
    DATABASE_URL: 'postgresql://nobody@127.0.0.1/none',
    CREDENTIAL_KEY: 'of at least thirty-two random characters',
  };
  expect(readConfig(coreConfig, needed).REQUEST_SETTLE_MS).toBe(11_000);
  expect(() => readConfig(coreConfig, { ...needed, STATEMENT_TIMEOUT_MS: '5000' })).toThrow(
    'REQUEST_SETTLE_MS must be at least 7000 more than STATEMENT_TIMEOUT_MS',
  );
  const longer = { STATEMENT_TIMEOUT_MS: '5000', REQUEST_SETTLE_MS: '12000' };
  expect(readConfig(coreConfig, { ...needed, ...longer }).STATEMENT_TIMEOUT_MS).toBe(5_000);
});
