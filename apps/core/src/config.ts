import { signingKeys } from '@hooligram/bus';
import { beyondStatementMs } from '@hooligram/db';
import {
  configRule,
  integer,
  joinConfig,
  milliseconds,
  readableFile,
  redisUrls,
  type ServiceContext,
  tracingConfig,
  url,
} from '@hooligram/service';
import { z } from 'zod';
import { limitsConfig } from './limits/config.ts';
import { userLimitsConfig } from './limits/user-config.ts';
import { jobsConfig } from './retries/config.ts';
import { upkeepConfig } from './upkeep/config.ts';
import { verificationConfig } from './verification/config.ts';

const schema = z.object({
  DATABASE_URL: url(['postgres', 'postgresql']).describe('Postgres, which holds the truth'),
  DATABASE_POOL: integer({ min: 2, max: 200 }).default(8).describe('most connections to Postgres'),
  DATABASE_REPLICA_URL: url(['postgres', 'postgresql'])
    .optional()
    .describe(
      'a standby of that Postgres, for pages of replays and of the sweep; what it cannot answer, the primary does',
    ),
  REDIS_URL: redisUrls()
    .default('redis://127.0.0.1:6379')
    .describe(
      'Redis, the bus; or redis+sentinel://host,host/?name=NAME, redis+cluster://host,host/?shards=N; several with commas between',
    ),
  REDIS_CA_FILE: readableFile()
    .optional()
    .describe('certificates in PEM by which a rediss:// is known, in place of those of the system'),
  REDIS_PREFIX: z.string().min(1).default('hooligram').describe('first part of every name in Redis'),
  BUS_SIGNING_KEYS: signingKeys()
    .optional()
    .describe(
      'sign what gateways and cores send each other through Redis: the first signs, all are accepted; the same in all nodes',
    ),
  STATEMENT_TIMEOUT_MS: milliseconds({ min: 100 }).default(4_000).describe('longest database statement'),
  LOCK_TIMEOUT_MS: milliseconds({ min: 10 })
    .default(50)
    .describe('longest wait of a statement for a locked row; then its requests wait by themselves'),
  REQUEST_SETTLE_MS: milliseconds({ min: 1 })
    .default(11_000)
    .describe(
      `what a request that was begun in time may take, the same as the gateways': at least STATEMENT_TIMEOUT_MS and ${beyondStatementMs}`,
    ),
  CORE_ENTRIES_MAX: integer({ min: 1, max: 10_000 })
    .default(128)
    .describe('most stream entries taken at once'),
  CORE_REQUESTS_MAX: integer({ min: 1 }).default(4_000).describe('most requests under way in this process'),
  CORE_WAITING_MAX: integer({ min: 1 })
    .default(1_000)
    .describe(
      'most requests of each type that wait by themselves; more get no answer until they are repeated',
    ),
  ANONYMOUS_REQUESTS_MAX: integer({ min: 1 })
    .default(1_000)
    .describe(
      'most waiting requests of each type from clients that are not signed in; more are refused as busy',
    ),
  ANONYMOUS_DATABASE_MAX: integer({ min: 1, max: 200 })
    .default(2)
    .describe('most statements at once for codes that are requested or submitted'),
  CATCH_UP_DATABASE_MAX: integer({ min: 1, max: 200 })
    .default(3)
    .describe('most statements at once for sign-ins, replays and other reads of those who come back'),
  CLAIM_IDLE_MS: milliseconds({ min: 100 })
    .default(2_500)
    .describe('entries that their core has not touched for so long are taken over'),
  CLAIM_EVERY_MS: milliseconds({ min: 50 }).default(500).describe('how often such entries are looked for'),
  NUMBERS: z
    .enum(['assigned', 'possible', 'valid'])
    .default('possible')
    .describe('which numbers become people: all of an assigned country code, possible ones, valid ones'),
  REPLAY_PAGE_MESSAGES: integer({ min: 1, max: 1_000 }).default(256).describe('most messages in one page'),
});

const ownConfig = schema.check(
  configRule<z.output<typeof schema>>(({ STATEMENT_TIMEOUT_MS, REQUEST_SETTLE_MS }, fault) => {
    if (!STATEMENT_TIMEOUT_MS || !REQUEST_SETTLE_MS) return;
    if (REQUEST_SETTLE_MS < STATEMENT_TIMEOUT_MS + beyondStatementMs) {
      fault('REQUEST_SETTLE_MS', `must be at least ${beyondStatementMs} more than STATEMENT_TIMEOUT_MS`);
    }
  }),
);

export const coreConfig = joinConfig(
  ownConfig,
  jobsConfig,
  upkeepConfig,
  verificationConfig,
  limitsConfig,
  userLimitsConfig,
  tracingConfig,
);

export type CoreService = ServiceContext<typeof coreConfig>;
export type CoreConfig = CoreService['config'];
