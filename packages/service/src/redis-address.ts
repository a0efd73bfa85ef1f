import { readFileSync } from 'node:fs';

/** What REDIS_URL may begin with. */
export const redisSchemes = ['redis', 'rediss', 'redis+sentinel', 'rediss+sentinel'] as const;

/** Options of ioredis. */
export type RedisAddress = {
  /** One that ioredis reads itself; the options say the rest. */
  readonly url: string | undefined;
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

/** Before a scheme alone, because the hosts of Sentinels are parted by commas too. */
const betweenAddresses = new RegExp(
  `,(?=(?:${redisSchemes.map((scheme) => scheme.replace('+', '\\+')).join('|')})://)`,
  'i',
);

type Host = { readonly host: string; readonly port: number };

const sentinelPort = 26_379;
const sentinelUrl = /^(rediss?)\+sentinel:\/\/(?:([^@/?#]*)@)?([^@/?#]+)(?:\/(\d+)?)?(?:\?([^#]*))?$/i;
const sentinelHost = /^(\[[\da-f:.]+\]|[^:]+)(?::(\d{1,5}))?$/i;
const sentinelRetryMaxMs = 1_000;

/** The addresses of a REDIS_URL: one, or several with commas between them, each in any form that `redisAddress` reads. */
export function redisAddresses(url: string): string[] {
  return url.split(betweenAddresses);
}

/**
 * How to reach the Redis of a REDIS_URL:
 *
 * - `redis://[user:password@]host[:port][/db]`, and `rediss://` for TLS.
 * - `redis+sentinel://[user:password@]host[:port][,host[:port]]…/[db]?name=NAME`: the primary that these Sentinels
 *   call NAME, now and after each failover. User and password are those of Redis; `sentinel_user` and
 *   `sentinel_password` are those of the Sentinels. `rediss+sentinel://`: TLS to both.
 *
 * @param caFile certificates by which a server with TLS is known, in place of the system's
 * @throws Error that says what is wrong with the url; it names no password
 */
export function redisAddress(url: string, caFile?: string): RedisAddress {
  const ca = caFile === undefined ? {} : { ca: readFileSync(caFile) };
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
      sentinels: hosts.split(',').map(hostOf),
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
  return redisAddresses(url).map(withoutPassword).join();
}

function withoutPassword(url: string): string {
  // A password with an "@" in it ends at the last one.
  return url.replace(/\/\/.*@/, '//***@').replace(/([?&][^=&]*password=)[^&]*/gi, '$1***');
}

function hostOf(text: string): Host {
  const [, host = '', port = String(sentinelPort)] = sentinelHost.exec(text.trim()) ?? [];
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
