import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  createNames,
  createSignatures,
  type Names,
  type Signatures,
  signingKeys,
  tagOfAddress,
} from '@hooligram/bus';
import {
  ConfigError,
  type Environment,
  milliseconds,
  readableFile,
  readConfig,
  redisAddress,
  redisAddresses,
  redisUrls,
  url,
} from '@hooligram/service';
import { z } from 'zod';

const schema = z.object({
  REDIS_URL: redisUrls().optional(),
  REDIS_CA_FILE: readableFile().optional(),
  REDIS_PREFIX: z.string().min(1).default('hooligram'),
  BUS_SIGNING_KEYS: signingKeys().optional(),
  NODE_REPLY_TIMEOUT_MS: milliseconds({ min: 100 }).default(2_000),
  DATABASE_URL: url(['postgres', 'postgresql']).optional(),
  DATABASE_REPLICA_URL: url(['postgres', 'postgresql']).optional(),
});

/** What `npm start` writes of a stack that runs. */
const stackFile = z.object({
  url: z.string(),
  redis: z.object({ url: z.string() }),
  postgres: z.object({ url: z.string() }),
});

// From src/ and from dist/ alike.
const repositoryRoot = fileURLToPath(new URL('../../../', import.meta.url));
const defaultRedisUrl = 'redis://127.0.0.1:6379';

/** Where a value comes from. */
type Source = 'environment' | 'local stack' | 'default';

/** The system that a command is about. */
export type Place = {
  /** One Redis. Of a place with several, the first one; `shardsOf` is a place for each. */
  readonly redisUrl: string;
  /** All Redis of the system, in the order of REDIS_URL. */
  readonly redisUrls: readonly string[];
  readonly redisFrom: Source;
  /** Certificates in PEM by which a rediss:// is known. */
  readonly caFile: string | undefined;
  readonly prefix: string;
  /** Sign what is sent to nodes, and check what they reply. */
  readonly signatures: Signatures | undefined;
  /** A node that has not replied by then does not answer. */
  readonly replyTimeoutMs: number;
  /** Undefined if nothing names it. */
  readonly databaseUrl: string | undefined;
  /** Of a standby that answers pages of replays; undefined if there is none. */
  readonly replicaUrl: string | undefined;
  /** Where clients connect, if a local stack runs. */
  readonly gatewayUrl: string | undefined;
  /** What its gateways and cores are started with, as far as it can be known here. */
  readonly environment: Environment;
};

/**
 * Finds the stores: those that the environment names, else those of the local stack that runs on the data folder.
 *
 * @param dataDir as `npm start` was given it: absolute, or from the root of the repository
 * @throws ConfigError
 */
export function findPlace(dataDir: string, env: Environment = process.env): Place {
  const read = readConfig(schema, env, 'hooligram');
  const { REDIS_URL, REDIS_CA_FILE, REDIS_PREFIX, BUS_SIGNING_KEYS, DATABASE_URL, DATABASE_REPLICA_URL } =
    read;
  const dir = resolve(repositoryRoot, dataDir);
  const stack = REDIS_URL && DATABASE_URL ? undefined : readStack(join(dir, 'run/stack.json'));
  const allRedis = REDIS_URL ?? stack?.redis.url ?? defaultRedisUrl;
  const redisUrls = redisAddresses(allRedis);
  const databaseUrl = DATABASE_URL ?? stack?.postgres.url;
  return {
    redisUrl: redisUrls[0] as string,
    redisUrls,
    redisFrom: REDIS_URL ? 'environment' : stack ? 'local stack' : 'default',
    caFile: REDIS_CA_FILE,
    prefix: REDIS_PREFIX,
    signatures: createSignatures(BUS_SIGNING_KEYS),
    replyTimeoutMs: read.NODE_REPLY_TIMEOUT_MS,
    databaseUrl,
    replicaUrl: DATABASE_REPLICA_URL,
    gatewayUrl: stack?.url,
    environment: {
      ...(stack ? localDefaults(dir) : {}),
      ...env,
      REDIS_URL: allRedis,
      ...(databaseUrl ? { DATABASE_URL: databaseUrl } : {}),
    },
  };
}

/** The same system as each of its Redis shows it. */
export function shardsOf(place: Place): readonly Place[] {
  return place.redisUrls.map((redisUrl) => ({ ...place, redisUrl }));
}

/** Whether its one Redis is a part of a Redis Cluster. */
export function isCluster({ redisUrl }: Place): boolean {
  return redisAddress(redisUrl).cluster !== undefined;
}

/** What its one Redis calls everything. */
export function namesOf({ prefix, redisUrl }: Place): Names {
  return createNames(prefix, undefined, tagOfAddress(redisUrl));
}

/** @throws ConfigError */
export function requireDatabase({ databaseUrl }: Place): string {
  if (databaseUrl) return databaseUrl;
  throw new ConfigError('no database is named, and no local stack runs: set DATABASE_URL (postgresql://…)');
}

/** What `npm start` sets that a core cannot start without. */
function localDefaults(dir: string): Environment {
  const key = join(dir, 'credential-key');
  return {
    VERIFICATION_PROVIDER: 'fixed',
    VERIFICATION_FIXED_CODE: '000000',
    ...(existsSync(key) ? { CREDENTIAL_KEY: readFileSync(key, 'utf8').trim() } : {}),
  };
}

function readStack(path: string) {
  if (!existsSync(path)) return undefined;
  try {
    return stackFile.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    throw new ConfigError(`${path} cannot be read: ${(error as Error).message}`);
  }
}
