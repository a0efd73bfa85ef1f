import { setTimeout as pause } from 'node:timers/promises';
import { randomOf } from '../seeded-random.ts';
import type { LoadClient } from './client.ts';
import type { MessageStream } from './message-stream.ts';
import { refused } from './rate.ts';

const stepMs = 20;
const burstMax = 5;
/** A user who types several messages sends them this far apart. */
const burstPauseMs = { least: 200, most: 800 };
/** A group whose sender is away is passed over; after so many of them the moment passes without a message. */
const triesMax = 50;

export type DaySpec = {
  /** Which share of all users is there at any time. */
  readonly onlineShare: number;
  /** Messages, those of bursts included. */
  readonly perSecond: number;
  /** So many users come, and as many go. */
  readonly changesPerSecond: number;
  /** The same seed makes the same choices; when they take effect depends on the servers. */
  readonly seed: number;
};

/**
 * Users as in a phone chat: most are away, some come and some go, and those who are there send bursts of messages,
 * more often to larger groups.
 */
export class Day {
  readonly #spec: DaySpec;
  readonly #online: LoadClient[];
  readonly #away: LoadClient[] = [];
  readonly #streams: readonly MessageStream[];
  /** For each stream, the members of it and of all before it: chooses streams by their size. */
  readonly #membersUpTo: readonly number[];
  readonly #random: () => number;
  readonly #open = new Set<Promise<void>>();
  #failure: Error | undefined;
  #signIns = 0;

  /** Most users disconnect at once. */
  constructor(clients: readonly LoadClient[], streams: readonly MessageStream[], spec: DaySpec) {
    this.#spec = spec;
    this.#streams = streams;
    this.#random = randomOf(spec.seed);
    this.#online = [...clients];
    let members = 0;
    this.#membersUpTo = streams.map((stream) => {
      stream.mayRepeat = true;
      members += stream.members.length;
      return members;
    });
    while (this.#online.length > clients.length * spec.onlineShare) this.#signOut();
  }

  get signIns(): number {
    return this.#signIns;
  }

  /** @returns when the time is over and all requests are answered. @throws Error when one is refused */
  async live(seconds: number): Promise<void> {
    const startedAt = performance.now();
    const { changesPerSecond, perSecond } = this.#spec;
    // A burst has as many messages as there are between its least and its most, on the average.
    const burstsPerSecond = perSecond / ((1 + burstMax) / 2);
    let changes = 0;
    let bursts = 0;
    for (;;) {
      if (this.#failure) throw this.#failure;
      const elapsed = (performance.now() - startedAt) / 1_000;
      if (elapsed > seconds) break;
      for (; changes < elapsed * changesPerSecond; changes += 1) {
        this.#signOut();
        this.#begin(this.#signIn());
      }
      for (; bursts < elapsed * burstsPerSecond; bursts += 1) this.#begin(this.#burst());
      await pause(stepMs);
    }
    while (this.#open.size > 0) await Promise.all(this.#open);
    if (this.#failure) throw this.#failure;
  }

  #begin(work: Promise<void>): void {
    const tracked = work
      .catch((error: Error) => {
        this.#failure ??= error;
      })
      .finally(() => this.#open.delete(tracked));
    this.#open.add(tracked);
  }

  #signOut(): void {
    const at = Math.floor(this.#random() * this.#online.length);
    const client = this.#online[at];
    // Who waits for an answer stays: nobody could tell whether the message was stored.
    if (!client || client.isWaiting) return;
    this.#online[at] = this.#online.at(-1) as LoadClient;
    this.#online.pop();
    client.disconnect();
    this.#away.push(client);
  }

  async #signIn(): Promise<void> {
    const at = Math.floor(this.#random() * this.#away.length);
    const client = this.#away[at];
    if (!client) return;
    this.#away[at] = this.#away.at(-1) as LoadClient;
    this.#away.pop();
    await client.connectAndSignIn();
    this.#signIns += 1;
    this.#online.push(client);
  }

  async #burst(): Promise<void> {
    const stream = this.#chooseStream();
    if (!stream) return;
    const messages = 1 + Math.floor(this.#random() * burstMax);
    const { least, most } = burstPauseMs;
    for (let message = 0; message < messages; message += 1) {
      if (message > 0) await pause(least + this.#random() * (most - least));
      if (!isOnline(stream)) return;
      await new Promise<void>((resolve, reject) => {
        stream.send(performance.now(), (isSuccess, payload) => {
          if (isSuccess) resolve();
          else reject(refused(payload));
        });
      });
    }
  }

  #chooseStream(): MessageStream | undefined {
    const all = this.#membersUpTo.at(-1) ?? 0;
    for (let tries = 0; tries < triesMax; tries += 1) {
      const chosen = this.#random() * all;
      const stream = this.#streams[firstAbove(this.#membersUpTo, chosen)];
      if (stream && isOnline(stream)) return stream;
    }
    return undefined;
  }
}

function isOnline({ members }: MessageStream): boolean {
  return members[0] !== undefined && members[0].onlineSince !== Number.POSITIVE_INFINITY;
}

/** @param sums growing numbers. @returns the index of the first one above `value` */
function firstAbove(sums: readonly number[], value: number): number {
  let low = 0;
  let high = sums.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sums[middle] as number) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
