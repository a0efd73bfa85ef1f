import type { Random } from '../random.ts';
import type { PlannedGroup } from './population.ts';

const tickMs = 20;
/** A device with so many requests unanswered makes no new one: the load adapts to the capacity of the servers. */
const unansweredMax = 20;
/** One in so many messages is given up when the server is busy. */
const givingUpEvery = 10;
const filler = 'the quick brown fox 🦊 jumps over the lazy dog; добрый вечер; こんばんは; ';

export type MessageLoad = {
  /** How many messages it has made. */
  readonly count: number;
  /** And how many not, because their device had too many unanswered. */
  readonly leftOut: number;
  stop(): void;
};

/**
 * Sends messages of random members to random groups, `rate` a second in all, until it is stopped.
 * @param label is in each message: no user sends the same text twice
 */
export function startMessageLoad(
  groups: readonly PlannedGroup[],
  rate: number,
  random: Random,
  label: string,
): MessageLoad {
  let due = 0;
  let count = 0;
  let leftOut = 0;
  let lastAt = performance.now();
  const timer = setInterval(() => {
    // By the clock: a busy process calls this later than it wants. What is due for more than a second is left out, so
    // that no flood follows.
    const at = performance.now();
    due = Math.min(due + (rate * (at - lastAt)) / 1_000, rate);
    lastAt = at;
    for (; due >= 1; due -= 1) {
      const group = random.pick(groups);
      const { name, outbox } = random.pick(random.pick(group.members).devices);
      if (group.id === undefined || outbox.size >= unansweredMax) {
        leftOut += 1;
        continue;
      }
      count += 1;
      const content = `${name} ${label} ${count} ${filler.repeat(random.integer(0, 2))}`;
      void outbox.sendMessage(group.id, content, { givesUp: count % givingUpEvery === 0 });
    }
  }, tickMs);
  return {
    get count() {
      return count;
    },
    get leftOut() {
      return leftOut;
    },
    stop: () => clearInterval(timer),
  };
}
