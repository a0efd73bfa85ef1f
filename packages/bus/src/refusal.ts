/** What Redis says when it refuses a command: nothing of it was done. By its error code, with what it means. */
const meanings: Readonly<Record<string, string>> = {
  OOM: 'Redis is full (maxmemory is reached and it evicts nothing)',
  READONLY: 'Redis is a read-only replica',
  MASTERDOWN: 'Redis is a replica that has lost its primary',
  UNBLOCKED: 'Redis changed its role',
  NOREPLICAS: 'Redis has fewer replicas than it wants before it takes writes',
  MISCONF: 'Redis cannot save its data to disk, and refuses writes',
  LOADING: 'Redis is loading its data',
  BUSY: 'Redis is held up by a script',
  MOVED: 'another node of the Redis Cluster has it (REDIS_URL must begin with redis+cluster://)',
  ASK: 'another node of the Redis Cluster is getting it (REDIS_URL must begin with redis+cluster://)',
  TRYAGAIN: 'another node of the Redis Cluster is getting it',
  CLUSTERDOWN: 'the Redis Cluster does not serve it',
  CROSSSLOT: 'REDIS_URL leads to a node of a Redis Cluster, and must begin with redis+cluster://',
  NOPERM: 'the user of REDIS_URL lacks a right',
  NOAUTH: 'Redis wants a password (REDIS_URL)',
  WRONGPASS: 'Redis knows no such user and password (REDIS_URL)',
  DENIED: 'Redis is in protected mode: it wants a password for connections from other hosts',
  NOSCRIPT: 'Redis does not keep scripts',
  'ERR The user executing the script': 'the user of REDIS_URL lacks a right',
  'ERR unknown command': 'Redis lacks a command',
  'ERR This instance has cluster support disabled':
    'Redis is no node of a Redis Cluster, and REDIS_URL must begin with redis://',
};

const codes = Object.keys(meanings).join('|');
/** Before Redis 7 a script's error is wrapped: `ERR Error running script (…): @user_script: 4: -OOM command …`. */
const refusalPattern = new RegExp(`^(?:ERR Error running script .*?-)?(${codes})\\b`, 's');

/** After these, this address may lead to another server tomorrow, or its server to another role. */
const wrongServer = new Set(['READONLY', 'MASTERDOWN', 'MOVED', 'CLUSTERDOWN']);

export type Refusal = {
  readonly code: string;
  /** One line for an operator. */
  readonly reason: string;
  /** Whether another server than this one should be written. */
  readonly isWrongServer: boolean;
};

/**
 * Whether Redis itself refused a command, so that it is certain that nothing of it was done. Every other failure, of a
 * connection or a proxy, leaves that open.
 */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return undefined;
  const code = refusalPattern.exec(error.message)?.[1];
  if (code === undefined) return undefined;
  const detail = error.message.replace(/\s+script: [0-9a-f]+.*$/s, '');
  return { code, reason: `${meanings[code]}: ${detail}`, isWrongServer: wrongServer.has(code) };
}

/** The text of ioredis for a command that never left, because there is no connection. */
const unsentText = "Stream isn't writeable and enableOfflineQueue options is false";
/** Those for a command whose connection broke before its answer came. */
const brokenText =
  /^(Reached the max retries per request limit|Connection is closed|Command aborted due to connection close)/;

/** An error as an operator reads it. */
export function reasonOf(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException;
  if (message === unsentText) return 'not connected to Redis';
  if (brokenText.test(message)) return 'the connection to Redis broke before the answer';
  return refusalOf(error)?.reason ?? (message || code || String(error));
}

export function wasNeverSent(error: unknown): boolean {
  return (error as Error).message === unsentText;
}

/** Whether Redis, or the way to it, failed, and not the command itself. */
export function isRedisOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (
    refusalOf(error) !== undefined ||
    wasNeverSent(error) ||
    error.name === 'MaxRetriesPerRequestError' ||
    error.message === 'Connection is closed.' ||
    error.message === 'Command aborted due to connection close'
  );
}
