/** What live traffic may leave unread for a moment. */
const liveBytes = 16 * 1_024 * 1_024;

type Log = { info(fields: object, text: string): void; warn(fields: object, text: string): void };

/** What this asks of a client of Redis. */
type Redis = { config(command: 'GET', name: string): Promise<unknown> };

/**
 * Redis closes a subscriber that leaves too much unread; all channels of its gateway are silent then until it is back.
 * Warns if that limit is too small for what the cores may send a gateway at a time.
 * @param creditBytes of answers that may be on their way; each may be sent twice when requests are repeated
 */
export async function checkSubscriberLimit(redis: Redis, creditBytes: number, log: Log): Promise<void> {
  let answer: unknown;
  try {
    answer = await redis.config('GET', 'client-output-buffer-limit');
  } catch {
    log.info({}, 'Redis does not say its client-output-buffer-limit: see docs/operations.md');
    return;
  }
  const [, limits] = Array.isArray(answer) ? answer : [];
  const [, hard = 0] = /\bpubsub (\d+)/.exec(String(limits)) ?? [];
  const neededBytes = 2 * creditBytes + liveBytes;
  if (Number(hard) === 0 || Number(hard) >= neededBytes) return;
  log.warn(
    { limitBytes: Number(hard), neededBytes },
    'the client-output-buffer-limit of Redis for pubsub is small: a gateway with much to read may be cut off',
  );
}
