/** A group's state as it was when the last connection left the group here. */
export type KeptState = { readonly version: number; readonly frame: string | Uint8Array };

type Kept = KeptState & { readonly bytes: number; readonly since: number };

/** So long a state is kept. Who lost their connection, or changed their network, is back within it. */
export const keptMs = 5 * 60_000;

/** What an entry needs beside its frame, about. */
const entryBytes = 256;

/** So much of the limit is used after room was made: to find the first entry takes a step for each that was taken before it. */
const usedAfterwards = 0.9;

/**
 * The states of groups that nobody here is in any more. While nobody is, the gateway hears of no change of them: a state
 * may be used again only by who has just read the group's version from the core, if that is its own.
 *
 * Those that have been here longest go when there are too many bytes, and all of them some minutes later.
 */
export class KeptStates {
  readonly #bytesMax: number;
  /** By what names a group in all epochs of the database. The one that has been here longest is the first. */
  readonly #states = new Map<string, Kept>();
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @param group names it in all epochs of the database */
  keep(group: string, { version, frame }: KeptState): void {
    this.take(group);
    // Of a text with one character outside of Latin-1, V8 holds two bytes for each.
    const bytes = (typeof frame === 'string' ? 2 : 1) * frame.length + entryBytes;
    if (bytes > this.#bytesMax) return;
    this.#states.set(group, { version, frame, bytes, since: performance.now() });
    this.#bytes += bytes;
    if (this.#bytes > this.#bytesMax) this.#makeRoom();
    this.#timer ??= setTimeout(this.#forgetOld, keptMs).unref();
  }

  /** @returns what was kept of the group; from now on it is the caller's */
  take(group: string): KeptState | undefined {
    const kept = this.#states.get(group);
    if (!kept) return undefined;
    this.#states.delete(group);
    this.#bytes -= kept.bytes;
    return kept;
  }

  #makeRoom(): void {
    for (const first of this.#states.keys()) {
      if (this.#bytes <= usedAfterwards * this.#bytesMax) break;
      this.take(first);
    }
  }

  readonly #forgetOld = (): void => {
    const oldest = performance.now() - keptMs;
    for (const [group, { since }] of this.#states) {
      if (since > oldest) break;
      this.take(group);
    }
    const [next] = this.#states.values();
    this.#timer = next && setTimeout(this.#forgetOld, Math.ceil(next.since - oldest)).unref();
  };
}
