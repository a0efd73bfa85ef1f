import { Redis } from 'ioredis';

/** What the bus tells its owner; a pino logger fits. */
export type BusLog = {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
};

/**
 * - `command`: never queues while disconnected and never sends a command again. A command whose fate is
 *   unknown is reported as failed; who repeats it decides that with the request's id in hand.
 * - `blocking`: waits inside Redis for stream entries; nothing else may share it.
 * - `subscriber`: holds the subscriptions. `Subscriptions` subscribes again after a reconnect; ioredis, when the
 *   connection breaks once more meanwhile, forgets them.
 */
export type ConnectionRole = 'command' | 'blocking' | 'subscriber';

const reconnectPauseMaxMs = 1_000;
/** Longer than any command here blocks, and than a stall that Redis may survive. */
const silenceMaxMs = 15_000;

/**
 * Connects one client to Redis.
 *
 * @param url `redis://` or `rediss://`
 * @param name shown by CLIENT LIST
 * @returns the client, once it is ready; from then on it reconnects by itself for ever
 * @throws Error one clear line when the first connection fails
 */
export async function connectRedis(
  url: string,
  { role, name, log }: { role: ConnectionRole; name: string; log: BusLog },
): Promise<Redis> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectionName: name,
    keepAlive: 5_000,
    // A peer that vanished without a word would keep commands waiting until TCP gives up, for many minutes.
    socketTimeout: silenceMaxMs,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    // Commands under way when the connection breaks fail then. With null, and without resending, ioredis forgets
    // them: whoever waits for one waits for ever.
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 6), reconnectPauseMaxMs),
  });
  let reason = 'closed';
  redis.on('error', (error: Error) => {
    reason = error.message || String((error as NodeJS.ErrnoException).code);
    log.warn({ connection: name, role, reason }, 'redis connection');
  });
  try {
    await redis.connect();
  } catch (error) {
    redis.disconnect();
    throw new Error(`Redis does not answer at ${withoutPassword(url)}: ${reason} (REDIS_URL)`, {
      cause: error,
    });
  }
  return redis;
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//');
}
