import { errorTexts } from '@hooligram/protocol/error-texts';
import { backoffMs } from './backoff.ts';
import type { QueuedRequest } from './events.ts';
import type { Answer, Link } from './link.ts';
import { pause } from './pause.ts';

export type LaneEntry = {
  readonly request: QueuedRequest;
  /** Resolves when the storage has it: not before is it sent. */
  readonly stored: Promise<void>;
};

export type QueuedAnswer = Answer<QueuedRequest['type']>;

/**
 * Requests that name the same group form a lane: one at a time is on its way, so that their order survives
 * `server busy` and broken connections. Lanes do not wait for each other.
 */
export class Lanes<E extends LaneEntry> {
  readonly #lanes = new Map<string, Set<E>>();
  readonly #running = new Set<string>();
  readonly #onAnswer: (entry: E, answer: QueuedAnswer) => void;
  #link: Link | undefined;

  /** @param onAnswer called with the final answer; has to remove the entry */
  constructor(onAnswer: (entry: E, answer: QueuedAnswer) => void) {
    this.#onAnswer = onAnswer;
  }

  add(entry: E): void {
    const name = laneOf(entry.request);
    const lane = this.#lanes.get(name) ?? new Set();
    this.#lanes.set(name, lane.add(entry));
    void this.#run(name);
  }

  /** One that is on its way already may take effect still; the next in its lane waits for its answer. */
  remove(entry: E): void {
    const name = laneOf(entry.request);
    const lane = this.#lanes.get(name);
    lane?.delete(entry);
    if (lane?.size === 0) this.#lanes.delete(name);
  }

  /** Sends what waits, on a link that is signed in; what is added from now on leaves as soon as its turn comes. */
  flow(link: Link): void {
    this.#link = link;
    for (const name of this.#lanes.keys()) void this.#run(name);
  }

  /** Sends nothing more. */
  stop(): void {
    this.#link = undefined;
  }

  /** Sends the requests of a lane, each until it has its final answer, as long as there is a link. */
  async #run(name: string): Promise<void> {
    if (this.#running.has(name)) return;
    this.#running.add(name);
    let failures = 0;
    for (let entry = this.#first(name); entry; entry = this.#first(name)) {
      await entry.stored;
      const link = this.#link;
      if (!link?.isOpen) break;
      // Given up while it was being stored.
      if (this.#first(name) !== entry) continue;
      const { id, type, payload } = entry.request;
      const answer: QueuedAnswer | undefined = await link.request(type, id, payload);
      if (answer && isBusy(answer)) {
        await pause(backoffMs(failures, Math.random()), link.ended);
        failures += 1;
      } else if (answer) {
        failures = 0;
        this.#onAnswer(entry, answer);
      }
    }
    this.#running.delete(name);
  }

  #first(name: string): E | undefined {
    const [entry] = this.#lanes.get(name) ?? [];
    return entry;
  }
}

/** What creates a group has a lane of its own. */
function laneOf({ id, payload }: QueuedRequest): string {
  return 'group_id' in payload ? String(payload.group_id) : id;
}

/** Nothing was done, and the same request may succeed later. */
function isBusy(answer: QueuedAnswer): boolean {
  return !answer.ok && answer.errors[0] === errorTexts.serverBusy.text;
}
