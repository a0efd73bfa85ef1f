import { configRule, integer, milliseconds, serviceConfig, url, variable } from '@hooligram/service';
import { z } from 'zod';
import { credentialKeys } from './credential.ts';

/** Time for storing a provider's answer, before the request that waits for it is repeated. */
export const storeMs = 2_000;

const shape = z.object({
  NODE_ENV: serviceConfig.shape.NODE_ENV,
  VERIFICATION_PROVIDER: z
    .enum(['fixed', 'log', 'twilio'])
    .default('log')
    .describe('who brings codes to phones: one code for all, the log, or Twilio Verify'),
  VERIFICATION_FIXED_CODE: matching(/^\d{4,10}$/, '4 to 10 digits')
    .optional()
    .describe('the code of everybody with the provider fixed; never in production'),
  VERIFICATION_TTL_MS: milliseconds({ min: 1_000 }).default(600_000).describe('how long a code is good'),
  VERIFICATION_ATTEMPTS_MAX: integer({ min: 1, max: 100 })
    .default(5)
    .describe('wrong submissions after which a code is no good any more'),
  CREDENTIAL_KEY: z
    .string()
    .min(32)
    .describe(
      'keys the stored credentials: at least 32 random characters, the same in all cores; several with commas between, the newest first',
    ),
  CREDENTIAL_CODE_FAILURES_MAX: integer({ min: 1, max: 100 })
    .default(100)
    .describe('wrong guesses after which a code is no credential any more; a new code does not reset them'),
  CREDENTIAL_CODE_TTL_DAYS: integer({ min: 1, max: 3_650 })
    .default(90)
    .describe('how long a code is a credential for a client that does not know its token'),
  TWILIO_ACCOUNT_SID: matching(/^AC[0-9a-fA-F]{32}$/, 'AC and 32 hexadecimal digits')
    .optional()
    .describe('account, with the provider twilio'),
  TWILIO_AUTH_TOKEN: z.string().optional().describe('its password, with the provider twilio'),
  TWILIO_VERIFY_SERVICE_SID: matching(/^VA[0-9a-fA-F]{32}$/, 'VA and 32 hexadecimal digits')
    .optional()
    .describe('Verify service, with the provider twilio'),
  TWILIO_BASE_URL: url(['http', 'https'])
    .optional()
    .describe("takes all of Twilio's requests instead of Twilio: a proxy, or a stand-in in tests"),
  TWILIO_TIMEOUT_MS: milliseconds({ min: 1, max: 60_000 })
    .default(5_000)
    .describe(`how long to wait for Twilio; at least ${storeMs} less than REQUEST_DEADLINE_MS`),
  REQUEST_DEADLINE_MS: milliseconds({ min: 100 })
    .default(8_000)
    .describe('after so long no core begins a request any more, the same as the gateways have'),
});

export type VerificationConfig = Readonly<z.output<typeof shape>>;

const twilioNeeds = ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN', 'TWILIO_VERIFY_SERVICE_SID'] as const;

export const verificationConfig = shape.check(
  configRule<VerificationConfig>((config, fault) => {
    const provider = config.VERIFICATION_PROVIDER;
    const keys = credentialKeys(config.CREDENTIAL_KEY ?? '');
    if (keys.length > 1 && keys.some((key) => key.length < 32)) {
      fault('CREDENTIAL_KEY', 'must be keys of at least 32 characters, with commas between');
    }
    if (provider === 'fixed' && config.NODE_ENV === 'production') {
      fault('VERIFICATION_PROVIDER', 'must not be fixed in production: anybody could sign in as anybody');
    }
    if (provider === 'fixed' && !config.VERIFICATION_FIXED_CODE) {
      fault('VERIFICATION_FIXED_CODE', 'is required when VERIFICATION_PROVIDER is fixed');
    }
    // Undefined where the variable itself is faulty.
    const { TWILIO_TIMEOUT_MS = 0, REQUEST_DEADLINE_MS = Number.POSITIVE_INFINITY } = config;
    if (provider === 'twilio' && TWILIO_TIMEOUT_MS > REQUEST_DEADLINE_MS - storeMs) {
      fault('TWILIO_TIMEOUT_MS', `must be at least ${storeMs} less than REQUEST_DEADLINE_MS`);
    }
    for (const name of twilioNeeds) {
      if (provider === 'twilio' && !config[name])
        fault(name, 'is required when VERIFICATION_PROVIDER is twilio');
    }
  }),
);

function matching(pattern: RegExp, expected: string) {
  return variable(expected, (text) => (pattern.test(text) ? text : undefined));
}
