import { reasonOf } from '@hooligram/bus';
import { isCluster, type Place } from '../config.ts';
import { Refusal } from '../program.ts';
import { type Redis, withRedis } from '../stores/redis.ts';
import { clockFinding, type Finding, fault, ok, unknown, warning } from './finding.ts';
import { examineRights } from './redis-rights.ts';

/** What live traffic may leave unread, beside the credit. */
const liveBytes = 16 * 1_024 * 1_024;
const mebibyte = 1_048_576;

type Facts = {
  /** All of INFO; undefined if the user may not read it. */
  readonly info: Readonly<Record<string, string>> | undefined;
  readonly creditBytes: number;
  /** Whether it is reached as a part of a Redis Cluster. */
  readonly isCluster: boolean;
};

/** Looks at Redis as gateways and cores need it. @param creditBytes ANSWER_CREDIT_BYTES */
export async function examineRedis(place: Place, creditBytes: number): Promise<Finding[]> {
  try {
    return await withRedis(place, async (redis, names) => {
      const facts = { info: await readInfo(redis), creditBytes, isCluster: isCluster(place) };
      const identity = [version(facts), role(facts)];
      if (identity.some(({ verdict }) => verdict === 'fault')) return identity;
      return [
        ...identity,
        eviction(facts),
        memory(facts),
        await outputLimit(redis, facts),
        await clock(redis),
        ...(await examineRights(place, redis, names)),
      ];
    });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [
      fault(
        'redis.reachable',
        error.message,
        'start Redis, or set REDIS_URL (redis://user:password@host:6379, rediss:// with TLS)',
      ),
    ];
  }
}

async function readInfo(redis: Redis): Promise<Facts['info']> {
  const text = await redis.info().catch(() => '');
  const fields = text.split(/\r?\n/).flatMap((line) => {
    const [, name, value] = /^(\w+):(.*)$/.exec(line) ?? [];
    return name && value !== undefined ? [[name, value]] : [];
  });
  return fields.length > 0 ? Object.fromEntries(fields) : undefined;
}

const silent = (name: string, what: string) =>
  unknown(name, `Redis does not say its ${what}: the user of REDIS_URL may not ask, which is no fault`);

function version({ info, isCluster }: Facts): Finding {
  const name = 'redis.version';
  const found = info?.redis_version;
  if (!found) return silent(name, 'version');
  const [major = 0, minor = 0] = found.split('.').map(Number);
  if (isCluster && major < 7)
    return fault(
      name,
      `Redis ${found} has no sharded channels`,
      'use Redis 7 or later, or Valkey, in a cluster',
    );
  if (major > 6 || (major === 6 && minor >= 2)) return ok(name, `Redis ${found}`);
  return fault(name, `Redis ${found} is too old`, 'use Redis 6.2 or later, or Valkey');
}

function role({ info, isCluster }: Facts): Finding {
  const name = 'redis.role';
  if (!info?.role) return silent(name, 'role');
  if (info.cluster_enabled === '1' && !isCluster) {
    return fault(
      name,
      'REDIS_URL leads to a node of a Redis Cluster',
      'begin REDIS_URL with redis+cluster://',
    );
  }
  if (info.role === 'master') return ok(name, 'it is a primary, which takes writes');
  return fault(
    name,
    `REDIS_URL leads to a replica of ${info.master_host}:${info.master_port}, which takes no writes`,
    'let REDIS_URL lead to the primary; after a failover, to the new one',
  );
}

function eviction({ info }: Facts): Finding {
  const name = 'redis.eviction';
  const policy = info?.maxmemory_policy;
  if (!policy) return silent(name, 'eviction policy');
  if (policy === 'noeviction') return ok(name, 'it evicts nothing when it is full');
  return fault(
    name,
    `its maxmemory-policy is ${policy}: when it is full it throws requests and jobs away`,
    'CONFIG SET maxmemory-policy noeviction, and the same in redis.conf',
  );
}

function memory({ info }: Facts): Finding {
  const name = 'redis.memory';
  if (!info?.used_memory) return silent(name, 'memory');
  const [used, most] = [Number(info.used_memory), Number(info.maxmemory)];
  const text = `it uses ${Math.round(used / mebibyte)} MiB of ${most === 0 ? 'what the machine has' : `${Math.round(most / mebibyte)} MiB`}`;
  const cure =
    'raise maxmemory, or find what is large: redis-cli --bigkeys; a long request stream wants more cores';
  if (most > 0 && used >= most) return fault(name, `it is full: ${text}`, cure);
  return most > 0 && used > 0.8 * most ? warning(name, `it is nearly full: ${text}`, cure) : ok(name, text);
}

async function outputLimit(redis: Redis, { creditBytes }: Facts): Promise<Finding> {
  const name = 'redis.output-limit';
  const answer = await redis.config('GET', 'client-output-buffer-limit').catch(() => undefined);
  const [, limits] = Array.isArray(answer) ? answer : [];
  const hard = Number(/\bpubsub (\d+)/.exec(String(limits))?.[1] ?? Number.NaN);
  if (Number.isNaN(hard)) return silent(name, 'client-output-buffer-limit');
  const neededBytes = 2 * creditBytes + liveBytes;
  if (hard === 0 || hard >= neededBytes)
    return ok(name, 'a gateway may leave as much unread as it can be sent');
  return fault(
    name,
    `client-output-buffer-limit pubsub is ${hard} bytes: a gateway with much to read is cut off, again and again`,
    `CONFIG SET client-output-buffer-limit "pubsub ${neededBytes} 0 0", and the same in redis.conf; or lower ANSWER_CREDIT_BYTES`,
  );
}

async function clock(redis: Redis): Promise<Finding> {
  const name = 'redis.clock';
  const askedAt = Date.now();
  try {
    const [seconds, micros] = await redis.time();
    const answeredAt = Date.now();
    const at = Number(seconds) * 1_000 + Number(micros) / 1_000;
    return clockFinding(name, 'Redis', at - (askedAt + answeredAt) / 2, answeredAt - askedAt);
  } catch (error) {
    return unknown(name, reasonOf(error));
  }
}
