import { readFileSync } from 'node:fs';

/** What REDIS_URL may begin with. */
export const redisSchemes = [
  'redis',
  'rediss',
  'redis+sentinel',
  'rediss+sentinel',
  'redis+cluster',
  'rediss+cluster',
] as const;

/** Options of ioredis. */
export type RedisAddress = {
  /** One that ioredis reads itself; the options say the rest. */
  readonly url: string | undefined;
  /** One of the shards of a Redis Cluster. */
  readonly cluster?: RedisClusterShard;
  readonly options: {
    readonly sentinels?: { host: string; port: number }[];
    readonly name?: string;
    readonly db?: number;
    readonly username?: string;
    readonly password?: string;
    readonly sentinelUsername?: string;
    readonly sentinelPassword?: string;
    readonly tls?: { ca?: Buffer };
    readonly sentinelTLS?: { ca?: Buffer };
    readonly enableTLSForSentinelMode?: boolean;
    readonly failoverDetector?: boolean;
    readonly sentinelRetryStrategy?: (attempt: number) => number;
  };
};

/** A Redis Cluster holds so many buses, each on the node that has its slot. */
export type RedisClusterShard = {
  /** By which the others are found. */
  readonly nodes: readonly Host[];
  /** From 0 on. */
  readonly shard: number;
  readonly shards: number;
};

export type Host = { readonly host: string; readonly port: number };

/** Before a scheme alone, because the hosts of Sentinels are parted by commas too. */
const betweenAddresses = new RegExp(
  `,(?=(?:${redisSchemes.map((scheme) => scheme.replace('+', '\\+')).join('|')})://)`,
  'i',
);

const sentinelPort = 26_379;
const sentinelUrl = /^(rediss?)\+sentinel:\/\/(?:([^@/?#]*)@)?([^@/?#]+)(?:\/(\d+)?)?(?:\?([^#]*))?$/i;
const hostAndPort = /^(\[[\da-f:.]+\]|[^:]+)(?::(\d{1,5}))?$/i;
const sentinelRetryMaxMs = 1_000;

const clusterPort = 6_379;
const clusterUrl = /^(rediss?)\+cluster:\/\/(?:([^@/?#]*)@)?([^@/?#]+)(?:\/0?)?(?:\?([^#]*))?$/i;
/** As many as the smallest cluster has masters. */
const clusterShards = 3;
const clusterShardsMax = 64;

/**
 * The addresses of a REDIS_URL, each of one Redis that holds a whole bus: one, or several with commas between them, each in any
 * form that `redisAddress` reads. A Redis Cluster has one for each of its shards.
 */
export function redisAddresses(url: string): string[] {
  return divideAddresses(url).flatMap((address) => {
    if (!isCluster(address) || /[?&]shard=/.test(address)) return [address];
    const shards = Number(queryOf(address).get('shards') ?? clusterShards);
    const start = address.includes('?') ? `${address}&` : `${address}?`;
    return Array.from({ length: shards }, (_, shard) => `${start}shard=${shard}`);
  });
}

/** The same, but with a Redis Cluster as one: as they stand in the REDIS_URL. */
export function divideAddresses(url: string): string[] {
  return url.split(betweenAddresses);
}

/**
 * How to reach the Redis of a REDIS_URL:
 *
 * - `redis://[user:password@]host[:port][/db]`, and `rediss://` for TLS.
 * - `redis+sentinel://[user:password@]host[:port][,host[:port]]…/[db]?name=NAME`: the primary that these Sentinels
 *   call NAME, now and after each failover. User and password are those of Redis; `sentinel_user` and
 *   `sentinel_password` are those of the Sentinels. `rediss+sentinel://`: TLS to both.
 * - `redis+cluster://[user:password@]host[:port][,host[:port]]…/?shards=N`: a Redis Cluster that some of these nodes are
 *   of, as N buses. `&shard=` says which one of them; without it, it is the first. `rediss+cluster://`: TLS to all nodes.
 *
 * @param caFile certificates by which a server with TLS is known, in place of the system's
 * @throws Error that says what is wrong with the url; it names no password
 */
export function redisAddress(url: string, caFile?: string): RedisAddress {
  const ca = caFile === undefined ? {} : { ca: readFileSync(caFile) };
  if (isCluster(url)) return clusterAddress(url, ca);
  if (!/^rediss?\+sentinel:/i.test(url)) {
    return { url, options: caFile !== undefined && /^rediss:/i.test(url) ? { tls: ca } : {} };
  }
  const [, scheme = '', account, hosts = '', database = '0', query = ''] = sentinelUrl.exec(url) ?? [];
  if (!scheme) throw new Error('must be like redis+sentinel://host:26379,host:26379/?name=NAME');
  const asked = new URLSearchParams(query);
  const name = asked.get('name');
  if (!name) throw new Error('needs the name that its Sentinels give to Redis: …/?name=NAME');
  return {
    url: undefined,
    options: {
      sentinels: hosts.split(',').map((host) => hostOf(host, sentinelPort)),
      name,
      db: Number(database),
      ...accountOf(account),
      ...definedOf({
        sentinelUsername: asked.get('sentinel_user'),
        sentinelPassword: asked.get('sentinel_password'),
      }),
      ...(scheme.toLowerCase() === 'rediss' && {
        tls: ca,
        sentinelTLS: ca,
        enableTLSForSentinelMode: true,
      }),
      // A primary that was cut off from its Sentinels is told nothing, and still takes what is published.
      failoverDetector: true,
      sentinelRetryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 6), sentinelRetryMaxMs),
    },
  };
}

/** The user as whom one Redis is asked. */
export function redisUser(url: string): string {
  const account = /^[^:]+:\/\/([^@/?#]*)@/.exec(url)?.[1];
  return accountOf(account).username ?? 'default';
}

/** As it may be logged: without the accounts of Redis and of the Sentinels. */
export function withoutPasswords(url: string): string {
  return divideAddresses(url).map(withoutPassword).join();
}

function clusterAddress(url: string, ca: { ca?: Buffer }): RedisAddress {
  const [, scheme = '', account, hosts = '', query = ''] = clusterUrl.exec(url) ?? [];
  if (!scheme) throw new Error('must be like redis+cluster://host:6379,host:6379/?shards=3');
  const asked = new URLSearchParams(query);
  const [shard, shards] = [Number(asked.get('shard') ?? 0), Number(asked.get('shards') ?? clusterShards)];
  if (!Number.isInteger(shards) || shards < 2 || shards > clusterShardsMax)
    throw new Error(`must have from 2 to ${clusterShardsMax} shards: …/?shards=${clusterShards}`);
  return {
    url: undefined,
    cluster: { nodes: hosts.split(',').map((host) => hostOf(host, clusterPort)), shard, shards },
    options: { ...accountOf(account), ...(scheme.toLowerCase() === 'rediss' && { tls: ca }) },
  };
}

function isCluster(url: string): boolean {
  return /^rediss?\+cluster:/i.test(url);
}

function queryOf(url: string): URLSearchParams {
  return new URLSearchParams(/\?(.*)/.exec(url)?.[1]);
}

function withoutPassword(url: string): string {
  // A password with an "@" in it ends at the last one.
  return url.replace(/\/\/.*@/, '//***@').replace(/([?&][^=&]*password=)[^&]*/gi, '$1***');
}

function hostOf(text: string, defaultPort: number): Host {
  const [, host = '', port = String(defaultPort)] = hostAndPort.exec(text.trim()) ?? [];
  if (!host || Number(port) > 65_535)
    throw new Error(`must have hosts and ports: ${text || 'nothing'} is none`);
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

function accountOf(text: string | undefined): { username?: string; password?: string } {
  if (text === undefined) return {};
  const [user = '', ...rest] = text.split(':');
  const [username, password] = [user, rest.join(':')].map(decodeURIComponent);
  return definedOf({ username, password });
}

/** Without what is empty. */
function definedOf<T extends Record<string, string | null | undefined>>(
  fields: T,
): { [K in keyof T]?: string } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value)) as {
    [K in keyof T]?: string;
  };
}
