import { deadlineMaxMs, signingKeys } from '@hooligram/bus';
import {
  type Config,
  configRule,
  integer,
  joinConfig,
  milliseconds,
  port,
  readableFile,
  redisUrls,
  samplingConfig,
  type serviceConfig,
  tracingConfig,
  variable,
} from '@hooligram/service';
import { uwsChoices } from '@hooligram/uws';
import { z } from 'zod';
import { isOrigin, sameHost } from './allowed-origins.ts';
import { TrustedProxies } from './client-address.ts';
import { gatewayLimitsConfig } from './limits/config.ts';

/** What a stopping gateway has left for the last answers and cursors when all others are gone. */
export const stopMarginMs = 5_000;

/** Several, with commas between them. */
function list(expected: string, isItem: (text: string) => boolean) {
  return variable(expected, (text): readonly string[] | undefined => {
    const items = text.split(',').map((item) => item.trim());
    return items.every(isItem) ? items : undefined;
  });
}

function levelFactor(text: string): number | undefined {
  const factor = /^\d{1,2}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  return factor === 0 || (factor >= 1.05 && factor <= 10) ? factor : undefined;
}

const schema = z.object({
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
  GATEWAY_HOST: z
    .string()
    .min(1)
    .optional()
    .describe('address on which clients are taken; without it all addresses, of IPv4 and of IPv6'),
  GATEWAY_PORT: port().default(8080).describe('port for clients; all gateways of a host may share it'),
  GATEWAY_OWN_PORT: port().optional().describe('a further port, for this gateway alone'),
  TRUSTED_PROXIES: list('addresses and networks, such as 10.0.0.0/8,2001:db8::5', TrustedProxies.isProxy)
    .optional()
    .describe(
      'addresses and networks whose X-Forwarded-For and PROXY protocol v2 name the client; nobody else is believed',
    ),
  TLS_CERT_FILE: readableFile()
    .optional()
    .describe('certificate in PEM with its chain: clients connect with wss://; read again on SIGHUP'),
  TLS_KEY_FILE: readableFile().optional().describe('the key of TLS_CERT_FILE, in PEM; read again on SIGHUP'),
  ALLOWED_ORIGINS: list('origins, such as https://chat.example, same-host, or *', isOrigin)
    .default([sameHost])
    .describe(
      'web pages that may connect: origins, same-host for all of the host that they connect to, * for all',
    ),
  REQUEST_DEADLINE_MS: milliseconds({ min: 100, max: deadlineMaxMs })
    .default(8_000)
    .describe('no core begins a request that is older'),
  REQUEST_REPEAT_MS: milliseconds({ min: 100 })
    .default(9_000)
    .describe('a request without answer is written again; more than the deadline'),
  REQUEST_PATIENCE_MS: milliseconds({ min: 200 })
    .default(28_000)
    .describe(
      'a request without answer is given up; at least REQUEST_REPEAT_MS, REQUEST_DEADLINE_MS and REQUEST_SETTLE_MS together',
    ),
  REQUEST_SETTLE_MS: milliseconds({ min: 1 })
    .default(11_000)
    .describe('what a core may need for a request that it began in time, the same as the cores have'),
  REQUESTS_WAITING_MAX: integer({ min: 1 })
    .default(20_000)
    .describe('a request stream of so many entries takes no more: requests get FAILURE at once'),
  REQUESTS_WAITING_BYTES_MAX: integer({ min: 65_536 })
    .default(64 * 1024 * 1024)
    .describe('the same for a request stream of so many bytes in Redis'),
  SESSION_QUEUE_MAX: integer({ min: 1 }).default(1_000).describe('most requests that wait on one connection'),
  SESSION_QUEUE_BYTES_MAX: integer({ min: 65_536 })
    .default(1024 * 1024)
    .describe('most bytes of requests without an answer on one connection'),
  SESSION_QUEUES_BYTES_MAX: integer({ min: 65_536 })
    .default(64 * 1024 * 1024)
    .describe('the same on all connections; from half of it on, those that hold most are refused first'),
  SESSION_RUN_MAX: integer({ min: 1, max: 1_000 })
    .default(64)
    .describe('most messages of one connection at the core at a time'),
  SIGN_INS_MAX: integer({ min: 1 })
    .default(32)
    .describe(
      'most sign-ins under way, from the request until the first groups were read; the others wait, and take turns',
    ),
  CATCH_UPS_MAX: integer({ min: 1 })
    .default(32)
    .describe(
      'most groups and connections that fetch at a time what they missed while a Redis was away; while somebody chats eight at first, and fewer while LOOP_LATE_MAX_MS is exceeded',
    ),
  HANDSHAKES_PER_SECOND_MAX: integer({ min: 1 })
    .default(5_000)
    .describe(
      'handshakes beyond this rate wait, and take turns; while somebody chats a thousand a second get in at first, and fewer while LOOP_LATE_MAX_MS is exceeded',
    ),
  HANDSHAKES_WAITING_MAX: integer({ min: 0 })
    .default(10_000)
    .describe('most handshakes that wait; more get 503 with Retry-After'),
  HANDSHAKE_WAIT_MAX_MS: milliseconds({ min: 1 })
    .default(8_000)
    .describe('a handshake that has waited so long gets 503 with Retry-After; less than clients wait'),
  LOOP_LATE_MAX_MS: milliseconds({ min: 1 })
    .default(5)
    .describe(
      'while handshakes, sign-ins or what was missed wait, somebody chats, and the event loop is later than this, fewer go on at a time',
    ),
  GATEWAY_CONNECTIONS_MAX: integer({ min: 1 })
    .optional()
    .describe('most connections of clients; without it 200 fewer than the process may open files'),
  BAD_FRAMES_MAX: integer({ min: 1 })
    .default(100)
    .describe('so many bad frames within BAD_FRAMES_WINDOW_MS close a connection'),
  BAD_FRAMES_WINDOW_MS: milliseconds({ min: 1 })
    .default(10_000)
    .describe('the time in which BAD_FRAMES_MAX bad frames close a connection'),
  BACKPRESSURE_MAX_BYTES: integer({ min: 65_536 })
    .default(1024 * 1024)
    .describe('a connection that leaves more than this unread is closed'),
  SOCKET_BUFFERS_BYTES_MAX: integer({ min: 65_536 })
    .default(256 * 1024 * 1024)
    .describe('when all connections leave more than this unread, those that leave most are closed'),
  IDLE_TIMEOUT_SECONDS: integer({ min: 8, max: 960 })
    .default(40)
    .describe(
      'a connection from which nothing comes for so long is closed; some 16 s before, it is sent a ping',
    ),
  UWEBSOCKETS: z
    .enum(uwsChoices)
    .default('newest')
    .describe('the uWebSockets.js to run on: the newest that this machine can load, or one of them'),
  GAP_WAIT_MS: milliseconds()
    .default(50)
    .describe('how long a gap in a group may close by itself before it is fetched'),
  GAP_HELD_MAX: integer({ min: 1 })
    .default(1_024)
    .describe('most messages of a group that wait behind a gap'),
  GAP_HELD_BYTES_MAX: integer({ min: 65_536 })
    .default(64 * 1024 * 1024)
    .describe('most bytes of all those messages; beyond it the largest group drops and fetches its own'),
  RECENT_MESSAGES_BYTES_MAX: integer({ min: 65_536 })
    .default(64 * 1024 * 1024)
    .describe(
      'most bytes of messages kept for connections in replay; beyond it the largest group drops its own',
    ),
  KEPT_STATES_BYTES_MAX: integer({ min: 0 })
    .default(16 * 1024 * 1024)
    .describe(
      'most bytes of states of groups that nobody here is in any more, kept for minutes for who comes back',
    ),
  REPLAY_WINDOW: integer({ min: 1 })
    .default(256)
    .describe('most replayed messages on one connection that wait for their acknowledgement'),
  REPLAY_WINDOW_BYTES: integer({ min: 65_536 })
    .default(1024 * 1024)
    .describe('the same in bytes, about: what a slow link can acknowledge in time'),
  ANSWER_CREDIT_BYTES: integer({ min: 262_144 })
    .default(8 * 1024 * 1024)
    .describe('most bytes of pages, states and memberships that may be on their way from the cores'),
  DELIVERY_ACK_DEADLINE_MS: milliseconds({ min: 10 })
    .default(5_000)
    .describe('what was replayed and is not acknowledged within this is reported to the core'),
  STOP_TIMEOUT_MS: milliseconds({ min: 1 })
    .default(30_000)
    .describe('how long a graceful stop may take; less than what the orchestrator grants'),
  DRAIN_SECONDS: integer({ min: 0, max: 3_600 })
    .default(10)
    .describe(
      'a stopping gateway, or one whose database came back older, sends its clients away spread over this time',
    ),
  DRAIN_RATE_MAX: integer({ min: 1, max: 1_000_000 })
    .default(500)
    .describe('clients that a gateway sends away in a second at most, unless STOP_TIMEOUT_MS is too short'),
  LISTEN_GRACE_MS: milliseconds()
    .default(0)
    .describe(
      'a stopping gateway is not ready and still takes connections for so long: what a load balancer needs to notice',
    ),
  LEVEL_FACTOR: variable('0 or a number from 1.05 to 10, such as 1.2', levelFactor)
    .default(0)
    .describe(
      'a gateway with more than so many times the mean of all sends its surplus away; 0 leaves it to operators',
    ),
  BUS_SILENCE_MS: milliseconds({ min: 2_000 })
    .default(15_000)
    .describe('connections to Redis that bring no echo for so long are made again'),
  CURSOR_FLUSH_MS: milliseconds({ min: 1 })
    .default(1_000)
    .describe('acknowledgements of this time leave together'),
});

const ownConfig = schema.check(
  configRule<z.output<typeof schema>>((config, fault) => {
    const { REQUEST_DEADLINE_MS, REQUEST_REPEAT_MS, REQUEST_PATIENCE_MS, REQUEST_SETTLE_MS } = config;
    const { DRAIN_SECONDS, STOP_TIMEOUT_MS, LISTEN_GRACE_MS = 0, TLS_CERT_FILE, TLS_KEY_FILE } = config;
    if (TLS_CERT_FILE && !TLS_KEY_FILE) fault('TLS_KEY_FILE', 'is required with TLS_CERT_FILE');
    if (TLS_KEY_FILE && !TLS_CERT_FILE) fault('TLS_CERT_FILE', 'is required with TLS_KEY_FILE');
    if (DRAIN_SECONDS && STOP_TIMEOUT_MS && STOP_TIMEOUT_MS < DRAIN_SECONDS * 1_000 + stopMarginMs) {
      fault('STOP_TIMEOUT_MS', `must be at least ${stopMarginMs} more than DRAIN_SECONDS`);
    } else if (STOP_TIMEOUT_MS && LISTEN_GRACE_MS > 0) {
      const leastMs = LISTEN_GRACE_MS + (DRAIN_SECONDS ?? 0) * 1_000 + stopMarginMs;
      if (STOP_TIMEOUT_MS < leastMs) {
        fault(
          'STOP_TIMEOUT_MS',
          `must be at least ${stopMarginMs} more than LISTEN_GRACE_MS and DRAIN_SECONDS`,
        );
      }
    }
    if (REQUEST_DEADLINE_MS && REQUEST_REPEAT_MS && REQUEST_REPEAT_MS <= REQUEST_DEADLINE_MS) {
      fault('REQUEST_REPEAT_MS', 'must be greater than REQUEST_DEADLINE_MS');
    }
    if (REQUEST_DEADLINE_MS && REQUEST_REPEAT_MS && REQUEST_PATIENCE_MS && REQUEST_SETTLE_MS) {
      // The repetition may be begun until its own deadline, and takes what it takes then.
      const leastMs = REQUEST_REPEAT_MS + REQUEST_DEADLINE_MS + REQUEST_SETTLE_MS;
      if (REQUEST_PATIENCE_MS < leastMs) {
        fault(
          'REQUEST_PATIENCE_MS',
          `must be at least ${leastMs}, REQUEST_REPEAT_MS, REQUEST_DEADLINE_MS and REQUEST_SETTLE_MS together`,
        );
      }
    }
  }),
);

export const gatewayConfig = joinConfig(ownConfig, gatewayLimitsConfig, tracingConfig, samplingConfig);

export type GatewayConfig = Config<typeof gatewayConfig> & Config<typeof serviceConfig>;
