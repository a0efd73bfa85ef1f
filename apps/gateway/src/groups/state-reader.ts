import type { GroupState } from '@hooligram/contract';
import { createLoopTurns } from '@hooligram/service';
import type { Core } from '../core/core-client.ts';
import { encodeStateFrame } from './state-frame.ts';

/** A group whose state is read. */
type ReadFeed = {
  readonly id: number;
  readonly version: number;
  apply(state: GroupState, encoded?: string): void;
};

/** Most groups in one request; the core answers as many states as fit into one publication. */
const groupsPerRequest = 100;
/** Most requests at the core at a time: with the size of an answer it bounds what the cores send this gateway. */
const requestsMax = 4;
/** A state of so many members is a millisecond or more in each of its steps. */
const largeMembersMin = 1_000;

type Reading = {
  readonly feed: ReadFeed;
  readonly done: Promise<boolean>;
  finish(isAnswered: boolean): void;
};

/**
 * Reads states of groups from the core, for all connections of this gateway together: who needs a state that is being
 * read waits for that one. What did not fit into an answer has its next turn behind what others have asked for.
 *
 * A large state is read from JSON, encoded, and applied in three rounds of the event loop: others have their turns between.
 */
export class StateReader {
  readonly #core: Core;
  readonly #turn = createLoopTurns();
  readonly #readings = new Map<number, Reading>();
  /** Those of them that are not at the core. */
  #waiting: Reading[] = [];
  #requests = 0;
  #isScheduled = false;

  constructor(core: Core) {
    this.#core = core;
  }

  /**
   * Resolves when a state of the group was read and applied, or could not be read. One that was being read already may be
   * older than what the caller knows of: the feed's version tells.
   * @returns false if no core answered
   */
  read(feed: ReadFeed): Promise<boolean> {
    const known = this.#readings.get(feed.id);
    if (known?.feed === feed) return known.done;
    let finish: Reading['finish'] = () => {};
    const done = new Promise<boolean>((resolve) => {
      finish = resolve;
    });
    const reading = { feed, done, finish };
    this.#readings.set(feed.id, reading);
    this.#waiting.push(reading);
    this.#requestSoon();
    return done;
  }

  #requestSoon(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      while (this.#waiting.length > 0 && this.#requests < requestsMax) {
        void this.#request(this.#waiting.splice(0, groupsPerRequest));
      }
    });
  }

  async #request(readings: readonly Reading[]): Promise<void> {
    this.#requests += 1;
    const reply = await this.#core.request('GROUP_STATES', {
      group_ids: readings.map(({ feed }) => feed.id),
    });
    const looked = reply.ok ? Math.max(1, reply.answer.looked) : readings.length;
    const states = new Map((reply.ok ? reply.answer.states : []).map((state) => [state.group_id, state]));
    // Who needs a state from now on may know of a newer one.
    for (const reading of readings.slice(0, looked)) {
      if (this.#readings.get(reading.feed.id) === reading) this.#readings.delete(reading.feed.id);
    }
    for (const { feed, finish } of readings.slice(0, looked)) {
      const state = states.get(feed.id);
      const isLarge = state && state.members.length >= largeMembersMin && state.version > feed.version;
      const encoded = isLarge ? await this.#encodeApart(state) : undefined;
      if (state) feed.apply(state, encoded);
      finish(reply.ok);
    }
    this.#requests -= 1;
    this.#waiting.push(...readings.slice(looked));
    if (this.#waiting.length > 0) this.#requestSoon();
  }

  /** In a round of the event loop of its own. */
  async #encodeApart(state: GroupState): Promise<string> {
    await this.#turn();
    const encoded = encodeStateFrame(state);
    await this.#turn();
    return encoded;
  }
}
