import { ConfigError, type Log } from '@hooligram/service';
import type { VerificationConfig } from './config.ts';
import { createFixedProvider } from './fixed.ts';
import { createLogProvider } from './log.ts';
import type { VerificationProvider } from './provider.ts';

/** The provider that the config names. `verificationConfig` has seen to it that its variables are there. */
export async function createVerificationProvider(
  config: VerificationConfig,
  log: Log,
): Promise<VerificationProvider> {
  switch (config.VERIFICATION_PROVIDER) {
    case 'fixed':
      return createFixedProvider(required(config, 'VERIFICATION_FIXED_CODE'));
    case 'log':
    case undefined:
      return createLogProvider(log, config.VERIFICATION_CODE_DIGITS);
    case 'twilio': {
      // Twilio's SDK takes as long to load as a third of the core: only who uses it waits for it.
      const { createTwilioProvider } = await import('./twilio.ts');
      return createTwilioProvider({
        accountSid: required(config, 'TWILIO_ACCOUNT_SID'),
        authToken: required(config, 'TWILIO_AUTH_TOKEN'),
        verifyServiceSid: config.TWILIO_VERIFY_SERVICE_SID,
        messagingServiceSid: config.TWILIO_MESSAGING_SERVICE_SID,
        verifyChecks: config.TWILIO_VERIFY_CHECKS,
        digits: config.VERIFICATION_CODE_DIGITS,
        baseUrl: config.TWILIO_BASE_URL,
        timeoutMs: config.TWILIO_TIMEOUT_MS,
        log,
      });
    }
  }
}

function required<K extends keyof VerificationConfig>(config: VerificationConfig, name: K) {
  const value = config[name];
  if (value === undefined) throw new ConfigError(`${name} is required`);
  return value;
}
