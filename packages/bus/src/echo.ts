import type { Redis } from 'ioredis';
import { hasLeftServer } from './connection.ts';
import { echoLua } from './echo.lua.ts';
import type { BusPart } from './pause.ts';
import { type Refusal, refusalOf } from './refusal.ts';

export type Echo = {
  /** Takes what was published on the own channel. @returns whether it was an echo */
  onPublication(bytes: Buffer): boolean;
  /** Whether the path works, or why not: a refusal counts at once, silence after three echoes are missing. */
  check(): true | string;
  /** Resolves with the first echo. */
  readonly first: Promise<void>;
  /** Milliseconds since the last proof that the path works. */
  silenceMs(): number;
  close(): void;
};

const everyMs = 1_000;
const mark = 'echo ';
/** Without an echo for so long the path does not work: three in a row are missing. */
const silenceAllowedMs = 3_500;

type Echoing = Redis & { echoThroughStream(stream: string, channel: string, text: string): Promise<number> };

/**
 * Proves a node's path again and again, by the way of a request: a write to a stream through its command connection,
 * and an answer on its own channel through its subscriber connection. All channels of that connection are subscribed
 * together, so an echo on one proves them all. A publication alone would prove little: replicas and a full Redis
 * pass it on.
 *
 * @param stream in the hash slot of the requests; one entry is kept in it
 * @param part hears of every refusal, and of every echo
 * @param onSilence called when no echo came back for `silenceMaxMs`, and again after as long
 * @param onAccepted called when Redis takes writes again that it had refused; `isWrongServer` if the connection has
 *   left a server for that, where other connections may still be
 */
export function startEcho({
  redis,
  stream,
  channel,
  part,
  onSilence,
  onAccepted,
  silenceMaxMs,
}: {
  redis: Redis;
  stream: string;
  channel: string;
  part: BusPart;
  onSilence(): void;
  onAccepted(after: { isWrongServer: boolean }): void;
  silenceMaxMs: number;
}): Echo {
  redis.defineCommand('echoThroughStream', { numberOfKeys: 1, lua: echoLua });
  const echoing = redis as Echoing;
  let returnedAt = Date.now();
  let complainedAt = returnedAt;
  let refusal: Refusal | undefined;
  let returned = () => {};
  const first = new Promise<void>((resolve) => {
    returned = resolve;
  });

  function look(): void {
    const now = Date.now();
    if (now - Math.max(returnedAt, complainedAt) > silenceMaxMs) {
      complainedAt = now;
      onSilence();
    }
    if (redis.status === 'ready') void send(now);
  }

  async function send(now: number): Promise<void> {
    try {
      await echoing.echoThroughStream(stream, channel, `${mark}${now}`);
    } catch (error) {
      // Whatever else it is ends in silence.
      refusal = refusalOf(error) ?? refusal;
      if (refusal) part.failed(refusal.reason);
      return;
    }
    // Whichever command was refused first made the connection leave its server.
    const isWrongServer = hasLeftServer(redis);
    const wasRefused = refusal !== undefined;
    refusal = undefined;
    if (wasRefused || isWrongServer) onAccepted({ isWrongServer });
  }

  const timer = setInterval(look, everyMs);
  redis.on('ready', look);
  look();
  return {
    onPublication(bytes) {
      if (bytes.toString('latin1', 0, mark.length) !== mark) return false;
      returnedAt = Date.now();
      part.works();
      returned();
      return true;
    },
    check() {
      if (refusal) return refusal.reason;
      const silenceMs = Date.now() - returnedAt;
      return silenceMs < silenceAllowedMs || `no echo for ${silenceMs} ms`;
    },
    first,
    silenceMs: () => Date.now() - returnedAt,
    close() {
      clearInterval(timer);
      redis.off('ready', look);
    },
  };
}
