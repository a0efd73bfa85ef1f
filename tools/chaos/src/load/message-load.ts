import type { Random } from '../random.ts';
import type { PlannedGroup } from './population.ts';

const tickMs = 20;
/** A device with so many requests unanswered makes no new one: the load adapts to the capacity of the servers. */
const unansweredMax = 20;
/** One in so many messages is given up when the server is busy. */
const givingUpEvery = 10;
const filler = 'the quick brown fox 🦊 jumps over the lazy dog; добрый вечер; こんばんは; ';

/**
 * Sends messages of random members to random groups, `rate` a second in all, until it is stopped.
 * @param label is in each message: no user sends the same text twice
 */
export function startMessageLoad(
  groups: readonly PlannedGroup[],
  rate: number,
  random: Random,
  label: string,
): { stop(): void } {
  let due = 0;
  let count = 0;
  const timer = setInterval(() => {
    // A message that could not be sent in time is left out, so that no flood follows.
    due = Math.min(due + (rate * tickMs) / 1_000, rate);
    for (; due >= 1; due -= 1) {
      const group = random.pick(groups);
      const { name, outbox } = random.pick(random.pick(group.members).devices);
      if (group.id === undefined || outbox.size >= unansweredMax) continue;
      count += 1;
      const content = `${name} ${label} ${count} ${filler.repeat(random.integer(0, 2))}`;
      void outbox.sendMessage(group.id, content, { givesUp: count % givingUpEvery === 0 });
    }
  }, tickMs);
  return { stop: () => clearInterval(timer) };
}
