import type { Redis } from 'ioredis';
import { hasLeftServer } from './connection.ts';
import { echoLua } from './echo.lua.ts';
import type { BusPart } from './pause.ts';
import { type Refusal, refusalOf } from './refusal.ts';
import { publishingOver } from './sharded-channels.ts';
import type { Signatures } from './signatures.ts';

const everyMs = 1_000;
const mark = 'echo ';
/** Without an echo for so long the path does not work: three in a row are missing. */
const silenceAllowedMs = 3_500;

type Echoing = Redis & {
  echoThroughStream(stream: string, publish: string, channel: string, text: string): Promise<number>;
};

type Options = {
  redis: Redis;
  stream: string;
  channel: string;
  part: BusPart;
  onSilence(): void;
  onAccepted(after: { isWrongServer: boolean }): void;
  silenceMaxMs: number;
  onRoundTrip?(ms: number): void;
  onRefused?(code: string): void;
  signatures?: Signatures | undefined;
};

/**
 * Proves a node's path again and again, by the way of a request: a write to a stream through its command connection,
 * and an answer on its own channel through its subscriber connection. All channels of that connection are subscribed
 * together, so an echo on one proves them all. A publication alone would prove little: replicas and a full Redis
 * pass it on.
 *
 * @param stream in the hash slot of the requests; one entry is kept in it
 * @param part gets every refusal, and every echo
 * @param onSilence called when no echo came back for `silenceMaxMs`, and again after as long
 * @param onAccepted called when Redis takes writes again that it had refused; `isWrongServer` if the connection has
 *   left a server for that, where other connections may still be
 * @param onRoundTrip how long Redis took to answer the write
 * @param onRefused gets Redis's error code each time that it refuses the write
 * @param signatures sign each echo
 */
export function startEcho(options: Options): Echo {
  const echo = new Echo(options);
  echo.start();
  return echo;
}

/** `check` and `close` are bound: the lifecycle of a process takes them as they are. */
export class Echo {
  /** Resolves with the first echo. */
  readonly first: Promise<void>;
  readonly #options: Options;
  readonly #look = () => this.#lookForSilence();
  #onFirst = () => {};
  #timer: NodeJS.Timeout | undefined;
  #returnedAt = Date.now();
  #complainedAt = Date.now();
  #refusal: Refusal | undefined;

  constructor(options: Options) {
    this.#options = options;
    this.first = new Promise((resolve) => {
      this.#onFirst = resolve;
    });
    options.redis.defineCommand('echoThroughStream', { numberOfKeys: 1, lua: echoLua });
  }

  start(): void {
    this.#timer = setInterval(this.#look, everyMs);
    this.#options.redis.on('ready', this.#look);
    this.#look();
  }

  readonly close = (): void => {
    clearInterval(this.#timer);
    this.#options.redis.off('ready', this.#look);
  };

  /** Gets what was published on the own channel. @returns whether it was an echo */
  onPublication(bytes: Buffer): boolean {
    if (bytes.toString('latin1', 0, mark.length) !== mark) return false;
    this.#returnedAt = Date.now();
    this.#options.part.works();
    this.#onFirst();
    return true;
  }

  /** Whether the path works, or why not: a refusal counts at once, silence after three echoes are missing. */
  readonly check = (): true | string => {
    if (this.#refusal) return this.#refusal.reason;
    const silenceMs = this.silenceMs();
    return silenceMs < silenceAllowedMs || `no echo for ${silenceMs} ms`;
  };

  /** Milliseconds since the last proof that the path works. */
  silenceMs(): number {
    return Date.now() - this.#returnedAt;
  }

  #lookForSilence(): void {
    const { redis, silenceMaxMs, onSilence } = this.#options;
    const now = Date.now();
    if (now - Math.max(this.#returnedAt, this.#complainedAt) > silenceMaxMs) {
      this.#complainedAt = now;
      onSilence();
    }
    if (redis.status === 'ready') void this.#send(now);
  }

  async #send(now: number): Promise<void> {
    const { redis, stream, channel, part, onAccepted, onRoundTrip, onRefused, signatures } = this.#options;
    const text = `${mark}${now}`;
    const echo = signatures ? signatures.signPublication(channel, text) : text;
    const sentAt = performance.now();
    try {
      await (redis as Echoing).echoThroughStream(stream, ...publishingOver(redis, channel), echo);
      onRoundTrip?.(performance.now() - sentAt);
    } catch (error) {
      // Every other failure ends in silence.
      const refusal = refusalOf(error);
      if (refusal) onRefused?.(refusal.code);
      this.#refusal = refusal ?? this.#refusal;
      if (this.#refusal) part.failed(this.#refusal.reason);
      return;
    }
    // The first command that was refused, whichever it was, made the connection leave its server.
    const isWrongServer = hasLeftServer(redis);
    const wasRefused = this.#refusal !== undefined;
    this.#refusal = undefined;
    if (wasRefused || isWrongServer) onAccepted({ isWrongServer });
  }
}
