import type { Redis } from 'ioredis';
import { decodeEntry, type Entry, type EntryCheck, isUnreadable, type Unreadable } from './entry.ts';
import { type BusPart, createGrowingPause } from './pause.ts';
import { reasonOf } from './refusal.ts';

const blockMs = 1_000;

type Options<T> = EntryCheck & {
  blocking: Redis;
  command: Redis;
  group: string;
  consumer: string;
  entriesMax: number;
  room(): Promise<void>;
  onEntry(entry: Entry<T>): void;
  onUnreadable(id: string, why: Unreadable): void;
  onStreamLost(): void;
  part: BusPart;
};

/**
 * Reads stream entries as one consumer of a group, as many at once as are there, up to `entriesMax`.
 *
 * Guarantee: each entry goes to one consumer. It stays pending until somebody acknowledges it (`Publisher` does); if
 * this process dies first, another may claim it. An entry that cannot be read is reported to `onUnreadable` and is no
 * longer this reader's business.
 *
 * @param part hears whether the reading works. A read that fails is tried again, with growing pauses.
 * @param blocking a connection that nobody else uses
 * @param command another connection, to make the group and to end a blocking read at once on `stop`
 * @param onStreamLost called when the stream had gone, with all that was in it, and this reader made a new one
 * @param room awaited before each read: resolves when there is room for more
 */
export async function startRequestReader<T>(options: Options<T>): Promise<RequestReader<T>> {
  const reader = new RequestReader(options);
  await reader.start();
  return reader;
}

export class RequestReader<T> {
  readonly #options: Options<T>;
  readonly #pause = createGrowingPause();
  #isStopping = false;
  /** The id of the blocking connection in Redis. */
  #blockingId: string | undefined;
  #reading: Promise<void> = Promise.resolve();

  constructor(options: Options<T>) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await this.#createGroup();
    await this.#identify();
    this.#options.blocking.on('ready', () => void this.#identify());
    this.#reading = this.#read();
  }

  /** Reads no further entries. Resolves when the reading has ended. */
  async stop(): Promise<void> {
    const { blocking, command } = this.#options;
    this.#isStopping = true;
    this.#pause.end();
    // Ends the wait without breaking the connection: an entry that arrives meanwhile is still handled.
    if (this.#blockingId && command.status === 'ready') {
      await command.call('CLIENT', 'UNBLOCK', this.#blockingId).catch(() => {});
    }
    if (blocking.status !== 'ready') blocking.disconnect();
    await this.#reading;
  }

  /** @returns whether there was none */
  async #createGroup(): Promise<boolean> {
    const { command, stream, group } = this.#options;
    try {
      // From the beginning, not from the end: what was requested before the group existed wants an answer too.
      await command.xgroup('CREATE', stream, group, '0', 'MKSTREAM');
      return true;
    } catch (error) {
      if (!String(error).includes('BUSYGROUP')) throw error;
      return false;
    }
  }

  /** So that a stop need not wait for the end of the blocking read. Without the right to ask, it waits. */
  async #identify(): Promise<void> {
    this.#blockingId = await this.#options.blocking.call('CLIENT', 'ID').then(String, () => undefined);
  }

  async #read(): Promise<void> {
    const { room, onEntry, onUnreadable, part } = this.#options;
    while (!this.#isStopping) {
      try {
        await room();
        if (this.#isStopping) return;
        for (const [id, fields] of await this.#readEntries()) {
          const entry = decodeEntry<T>(id, fields, this.#options);
          if (isUnreadable(entry)) onUnreadable(id, entry);
          else onEntry(entry);
        }
        this.#pause.reset();
        part.works();
      } catch (error) {
        if (this.#isStopping) return;
        await this.#recover(error as Error);
      }
    }
  }

  async #readEntries(): Promise<[id: string, fields: string[]][]> {
    const { blocking, stream, group, consumer, entriesMax } = this.#options;
    const wanted = ['COUNT', entriesMax, 'BLOCK', blockMs] as const;
    const reply = await blocking.xreadgroup('GROUP', group, consumer, ...wanted, 'STREAMS', stream, '>');
    return (reply as [string, [string, string[]][]][] | null)?.[0]?.[1] ?? [];
  }

  async #recover(error: Error): Promise<void> {
    this.#options.part.failed(reasonOf(error));
    if (await this.#createGroup().catch(() => false)) this.#options.onStreamLost();
    else await this.#pause.wait();
  }
}
