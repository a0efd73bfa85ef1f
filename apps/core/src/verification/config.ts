import { boolean, configRule, integer, milliseconds, serviceConfig, url, variable } from '@hooligram/service';
import { z } from 'zod';
import { credentialKeys } from './credential.ts';

/** Time for storing a provider's answer, before the request that waits for it is repeated. */
export const storeMs = 2_000;

const shape = z.object({
  NODE_ENV: serviceConfig.shape.NODE_ENV,
  VERIFICATION_PROVIDER: z
    .enum(['fixed', 'log', 'twilio'])
    .optional()
    .describe(
      'who brings codes to phones: one code for all, the log (unless given), or Twilio; required in production, where only Twilio is accepted',
    ),
  VERIFICATION_CODE_DIGITS: integer({ min: 6, max: 10 })
    .default(8)
    .describe('digits of a code; a Verify service that makes the codes has to be set to as many'),
  VERIFICATION_FIXED_CODE: matching(/^\d{4,10}$/, '4 to 10 digits')
    .optional()
    .describe('the code of everybody with the provider fixed; never in production'),
  CODE_COUNTRY_CODES: variable('country codes such as 1,44', (text): string[] | undefined => {
    const codes = text.split(',');
    return codes.every((code) => /^[1-9]\d{0,2}$/.test(code)) ? codes : undefined;
  })
    .optional()
    .describe('country codes to which codes are sent, with commas between; unless given, to all'),
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
  TWILIO_MESSAGING_SERVICE_SID: matching(/^MG[0-9a-fA-F]{32}$/, 'MG and 32 hexadecimal digits')
    .optional()
    .describe('Messaging service, in place of Verify: codes are made here and sent as plain texts'),
  TWILIO_VERIFY_CHECKS: boolean()
    .default(false)
    .describe(
      'the Verify service makes and checks the codes, and a stranger who guesses spoils the code of a number; otherwise both is done here, and the service has to take custom codes',
    ),
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

const inProduction = {
  fixed: 'must not be fixed in production: anybody could sign in as anybody',
  log: 'must not be log in production: who reads the log could sign in as anybody',
  none: 'is required in production: nothing else brings codes to phones',
};

const twilioNeeds = ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN', 'TWILIO_VERIFY_SERVICE_SID'] as const;

export const verificationConfig = shape.check(
  configRule<VerificationConfig>((config, fault) => {
    const provider = config.VERIFICATION_PROVIDER;
    const keys = credentialKeys(config.CREDENTIAL_KEY ?? '');
    if (keys.length > 1 && keys.some((key) => key.length < 32)) {
      fault('CREDENTIAL_KEY', 'must be keys of at least 32 characters, with commas between');
    }
    if (config.NODE_ENV === 'production' && provider !== 'twilio') {
      fault('VERIFICATION_PROVIDER', inProduction[provider ?? 'none']);
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
      const isForVerify = name === 'TWILIO_VERIFY_SERVICE_SID' && !config.TWILIO_MESSAGING_SERVICE_SID;
      if (provider === 'twilio' && !config[name] && (isForVerify || name !== 'TWILIO_VERIFY_SERVICE_SID'))
        fault(name, 'is required when VERIFICATION_PROVIDER is twilio');
    }
  }),
);

function matching(pattern: RegExp, expected: string) {
  return variable(expected, (text) => (pattern.test(text) ? text : undefined));
}
