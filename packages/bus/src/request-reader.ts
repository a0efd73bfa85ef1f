import type { Redis } from 'ioredis';
import { decodeEntry, type Entry, isUnreadable, type Unreadable } from './entry.ts';
import { type BusPart, createGrowingPause } from './pause.ts';
import { reasonOf } from './refusal.ts';

export type RequestReader = {
  /** Takes no further entries. Resolves when the reading has ended. */
  stop(): Promise<void>;
};

const blockMs = 1_000;

/**
 * Takes stream entries as one consumer of a group, as many at once as are there, up to `entriesMax`.
 *
 * Guarantee: each entry goes to one consumer. It stays pending until somebody acknowledges it (`createPublisher`
 * does); if this process dies first, another may claim it. An entry that cannot be read is reported to
 * `onUnreadable` and is no longer this reader's business.
 *
 * @param part hears whether the reading works. A read that fails is tried again, with growing pauses.
 * @param blocking a connection that nobody else uses
 * @param command another connection, to make the group and to end a blocking read at once on `stop`
 * @param onStreamLost called when the stream had gone, with all that was in it, and this reader made it anew
 * @param room awaited before each read: resolves when there is room for more
 */
export async function startRequestReader<T>({
  blocking,
  command,
  stream,
  group,
  consumer,
  entriesMax,
  room,
  onEntry,
  onUnreadable,
  onStreamLost,
  part,
}: {
  blocking: Redis;
  command: Redis;
  stream: string;
  group: string;
  consumer: string;
  entriesMax: number;
  room(): Promise<void>;
  onEntry(entry: Entry<T>): void;
  onUnreadable(id: string, why: Unreadable): void;
  onStreamLost(): void;
  part: BusPart;
}): Promise<RequestReader> {
  const pause = createGrowingPause();
  let stopping = false;
  let blockedAs: string | undefined;
  await createGroup();
  await identify();
  blocking.on('ready', () => void identify());
  const reading = read();

  /** @returns whether there was none */
  async function createGroup(): Promise<boolean> {
    try {
      // From the beginning, not from the end: what was asked before the group existed wants an answer too.
      await command.xgroup('CREATE', stream, group, '0', 'MKSTREAM');
      return true;
    } catch (error) {
      if (!String(error).includes('BUSYGROUP')) throw error;
      return false;
    }
  }

  /** So that a stop need not wait for the end of the blocking read. Without the right to ask, it does. */
  async function identify(): Promise<void> {
    blockedAs = await blocking.call('CLIENT', 'ID').then(String, () => undefined);
  }

  async function read(): Promise<void> {
    while (!stopping) {
      try {
        await room();
        if (stopping) return;
        for (const [id, fields] of await take()) {
          const entry = decodeEntry<T>(id, fields);
          if (isUnreadable(entry)) onUnreadable(id, entry);
          else onEntry(entry);
        }
        pause.reset();
        part.works();
      } catch (error) {
        if (stopping) return;
        await recover(error as Error);
      }
    }
  }

  async function take(): Promise<[string, string[]][]> {
    const reply = (await blocking.xreadgroup(
      'GROUP',
      group,
      consumer,
      'COUNT',
      entriesMax,
      'BLOCK',
      blockMs,
      'STREAMS',
      stream,
      '>',
    )) as [string, [string, string[]][]][] | null;
    return reply?.[0]?.[1] ?? [];
  }

  async function recover(error: Error): Promise<void> {
    part.failed(reasonOf(error));
    if (await createGroup().catch(() => false)) onStreamLost();
    else await pause.wait();
  }

  return {
    async stop() {
      stopping = true;
      pause.end();
      // Ends the wait without breaking the connection: an entry that arrives meanwhile is still handled.
      if (blockedAs && command.status === 'ready') {
        await command.call('CLIENT', 'UNBLOCK', blockedAs).catch(() => {});
      }
      if (blocking.status !== 'ready') blocking.disconnect();
      await reading;
    },
  };
}
