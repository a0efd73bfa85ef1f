import type { Redis } from 'ioredis';

export type Echo = {
  /** Takes what was published on the own channel. @returns whether it was an echo */
  onPublication(bytes: Buffer): boolean;
  /** Milliseconds since the last proof that the path works. */
  silenceMs(): number;
  close(): void;
};

const everyMs = 1_000;
const mark = 'echo ';

/**
 * Proves a node's path again and again: what it publishes on its own channel through its command connection
 * must come back on its subscriber connection. All channels of that connection are subscribed together, so an echo
 * on one proves them all.
 *
 * @param onSilence called when none came back for `silenceMaxMs`, and again after as long
 */
export function startEcho({
  redis,
  channel,
  onSilence,
  silenceMaxMs,
}: {
  redis: Redis;
  channel: string;
  onSilence(): void;
  silenceMaxMs: number;
}): Echo {
  let returnedAt = Date.now();
  let complainedAt = returnedAt;
  const timer = setInterval(() => {
    const now = Date.now();
    if (now - Math.max(returnedAt, complainedAt) > silenceMaxMs) {
      complainedAt = now;
      onSilence();
    }
    if (redis.status === 'ready') redis.publish(channel, `${mark}${now}`).catch(() => {});
  }, everyMs);
  return {
    onPublication(bytes) {
      if (bytes.toString('latin1', 0, mark.length) !== mark) return false;
      returnedAt = Date.now();
      return true;
    },
    silenceMs: () => Date.now() - returnedAt,
    close: () => clearInterval(timer),
  };
}
