import { readConfig, redacted } from '@hooligram/service';
import { describe, expect, test } from '@jest/globals';
import { verificationConfig } from './config.ts';

const credentialKey = 'k'.repeat(32);
const twilio = {
  VERIFICATION_PROVIDER: 'twilio',
  TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  TWILIO_AUTH_TOKEN: 'hunter2',
  TWILIO_VERIFY_SERVICE_SID: `VA${'0'.repeat(32)}`,
};
const read = (env: Record<string, string>) =>
  readConfig(verificationConfig, { CREDENTIAL_KEY: credentialKey, ...env }, 'core');

describe('the fixed code', () => {
  const fixed = { VERIFICATION_PROVIDER: 'fixed', VERIFICATION_FIXED_CODE: '000000' };

  test('is accepted outside of production', () => {
    expect(read(fixed)).toMatchObject(fixed);
  });

  test('is refused in production, in one line', () => {
    expect(() => read({ ...fixed, NODE_ENV: 'production' })).toThrow(
      /^core: VERIFICATION_PROVIDER must not be fixed in production: .*$/,
    );
  });

  test('is not the only one: the log is refused there, too, and there is no default', () => {
    for (const env of [{ VERIFICATION_PROVIDER: 'log' }, {}] as Record<string, string>[]) {
      expect(() => read({ ...env, NODE_ENV: 'production' })).toThrow(
        /^core: VERIFICATION_PROVIDER .* in production: /,
      );
      expect(read(env)).toBeDefined();
    }
    expect(read({ ...twilio, NODE_ENV: 'production' })).toMatchObject(twilio);
  });

  test('must be there, and must be digits', () => {
    expect(() => read({ VERIFICATION_PROVIDER: 'fixed' })).toThrow(
      /^core: VERIFICATION_FIXED_CODE is required when VERIFICATION_PROVIDER is fixed$/,
    );
    expect(() => read({ ...fixed, VERIFICATION_FIXED_CODE: 'abcdef' })).toThrow(
      /^core: VERIFICATION_FIXED_CODE must be 4 to 10 digits$/,
    );
  });
});

describe('twilio', () => {
  test('needs its three variables, a line each', () => {
    expect(() => read({ VERIFICATION_PROVIDER: 'twilio' })).toThrow(
      [
        'core: TWILIO_ACCOUNT_SID is required when VERIFICATION_PROVIDER is twilio',
        'core: TWILIO_AUTH_TOKEN is required when VERIFICATION_PROVIDER is twilio',
        'core: TWILIO_VERIFY_SERVICE_SID is required when VERIFICATION_PROVIDER is twilio',
      ].join('\n'),
    );
    expect(read(twilio)).toMatchObject(twilio);
  });

  test('must have answered before the gateways repeat a request', () => {
    expect(read(twilio).TWILIO_TIMEOUT_MS).toBe(5_000);
    expect(read({ ...twilio, TWILIO_TIMEOUT_MS: '6000' }).TWILIO_TIMEOUT_MS).toBe(6_000);
    for (const env of [{ TWILIO_TIMEOUT_MS: '6001' }, { REQUEST_DEADLINE_MS: '6999' }] as Record<
      string,
      string
    >[]) {
      expect(() => read({ ...twilio, ...env })).toThrow(
        /^core: TWILIO_TIMEOUT_MS must be at least 2000 less than REQUEST_DEADLINE_MS/,
      );
    }
  });

  test('its account and service are told apart from each other', () => {
    expect(() => read({ ...twilio, TWILIO_ACCOUNT_SID: twilio.TWILIO_VERIFY_SERVICE_SID })).toThrow(
      /^core: TWILIO_ACCOUNT_SID must be AC and 32 hexadecimal digits, not "VA0+"$/,
    );
  });

  test('its token is not printed', () => {
    expect(JSON.stringify(redacted(read(twilio)))).not.toMatch(/hunter2|kkkk/);
  });
});

test('a short credential key is refused without being printed', () => {
  expect(() => read({ CREDENTIAL_KEY: 'short' })).toThrow(
    /^core: CREDENTIAL_KEY must have at least 32 characters$/,
  );
});

test('several credential keys have commas between, and each is long enough', () => {
  const keys = `${'n'.repeat(32)},${credentialKey}`;
  expect(read({ CREDENTIAL_KEY: keys }).CREDENTIAL_KEY).toBe(keys);
  expect(() => read({ CREDENTIAL_KEY: `${credentialKey},short` })).toThrow(
    /^core: CREDENTIAL_KEY must be keys of at least 32 characters, with commas between$/,
  );
});

test('without Verify, a Messaging service is enough for twilio', () => {
  const { TWILIO_VERIFY_SERVICE_SID: _, ...others } = twilio;
  expect(read({ ...others, TWILIO_MESSAGING_SERVICE_SID: `MG${'0'.repeat(32)}` })).toMatchObject(others);
});
