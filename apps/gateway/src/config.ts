import {
  type Config,
  configRule,
  integer,
  milliseconds,
  port,
  type serviceConfig,
  url,
} from '@hooligram/service';
import { z } from 'zod';

const schema = z.object({
  REDIS_URL: url(['redis', 'rediss']).default('redis://127.0.0.1:6379').describe('Redis, the bus'),
  REDIS_PREFIX: z.string().min(1).default('hooligram').describe('first part of every name in Redis'),
  GATEWAY_HOST: z.string().min(1).default('0.0.0.0').describe('address on which clients are taken'),
  GATEWAY_PORT: port().default(8080).describe('port for clients; all gateways of a host may share it'),
  GATEWAY_OWN_PORT: port().optional().describe('a further port, for this gateway alone'),
  CLIENT_ADDRESS_HEADER: z
    .string()
    .toLowerCase()
    .optional()
    .describe('header in which a trusted proxy names the client, such as x-forwarded-for'),
  REQUEST_DEADLINE_MS: milliseconds({ min: 100 })
    .default(5_000)
    .describe('no core begins a request that is older'),
  REQUEST_PATIENCE_MS: milliseconds({ min: 200 })
    .default(12_000)
    .describe('how long the core may take; more than the deadline and its longest statement together'),
  SESSION_QUEUE_MAX: integer({ min: 1 }).default(1_000).describe('most requests that wait on one connection'),
  SESSION_RUN_MAX: integer({ min: 1, max: 1_000 })
    .default(64)
    .describe('most messages of one connection at the core at a time'),
  BAD_FRAMES_MAX: integer({ min: 1 }).default(100).describe('bad frames that close a connection …'),
  BAD_FRAMES_WINDOW_MS: milliseconds({ min: 1 }).default(10_000).describe('… within this time'),
  BACKPRESSURE_MAX_BYTES: integer({ min: 65_536 })
    .default(4 * 1024 * 1024)
    .describe('a connection that leaves more than this unread is closed'),
  IDLE_TIMEOUT_SECONDS: integer({ min: 8, max: 960 })
    .default(120)
    .describe('a connection that answers no ping for so long is closed'),
  GAP_WAIT_MS: milliseconds()
    .default(50)
    .describe('how long a hole in a group may close by itself before it is fetched'),
  GAP_HELD_MAX: integer({ min: 1 }).default(1_024).describe('most messages that a hole holds back'),
  CURSOR_FLUSH_MS: milliseconds({ min: 1 })
    .default(1_000)
    .describe('acknowledgements of this time leave together'),
});

export const gatewayConfig = schema.check(
  configRule<z.output<typeof schema>>(({ REQUEST_DEADLINE_MS, REQUEST_PATIENCE_MS }, fault) => {
    if (REQUEST_DEADLINE_MS && REQUEST_PATIENCE_MS && REQUEST_PATIENCE_MS <= REQUEST_DEADLINE_MS) {
      fault('REQUEST_PATIENCE_MS', 'must be greater than REQUEST_DEADLINE_MS');
    }
  }),
);

export type GatewayConfig = Config<typeof gatewayConfig> & Config<typeof serviceConfig>;
