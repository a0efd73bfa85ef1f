import { createLog, readConfig } from '@hooligram/service';
import { expect, test } from '@jest/globals';
import { verificationConfig } from './config.ts';
import { createVerificationProvider } from './index.ts';

const to = { countryCode: '1', phoneNumber: '5550100' };

async function setUp(env: Record<string, string>) {
  const lines: string[] = [];
  const log = createLog({ name: 'core', destination: { write: (line) => void lines.push(line) } });
  const config = readConfig(verificationConfig, { CREDENTIAL_KEY: 'k'.repeat(32), ...env });
  return { provider: await createVerificationProvider(config, log), lines };
}

test('fixed: everybody has the one code, nothing is sent', async () => {
  const { provider, lines } = await setUp({
    VERIFICATION_PROVIDER: 'fixed',
    VERIFICATION_FIXED_CODE: '000000',
  });
  expect(provider.name).toBe('fixed');
  expect(provider.createCode()).toBe('000000');
  expect(await provider.send(to, '000000', 60_000)).toEqual({ ok: true });
  expect(lines).toEqual([]);
});

test('log: the code stands in the log, the number only masked', async () => {
  const { provider, lines } = await setUp({ VERIFICATION_PROVIDER: 'log' });
  const code = provider.createCode();
  expect(await provider.send(to, code, 60_000)).toEqual({ ok: true });
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines.join(''))).toMatchObject({ msg: 'verification code', sid: '1.•••••00', code });
  expect(lines.join('')).not.toContain('5550100');
});

test('log: codes have as many digits as configured, leading zeros too, and differ', async () => {
  const { provider } = await setUp({ VERIFICATION_PROVIDER: 'log', VERIFICATION_CODE_DIGITS: '6' });
  const codes = Array.from({ length: 200 }, () => provider.createCode());
  for (const code of codes) expect(code).toMatch(/^\d{6}$/);
  expect(new Set(codes).size).toBeGreaterThan(190);
});
