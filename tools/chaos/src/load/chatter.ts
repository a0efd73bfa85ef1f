import type { Random } from '../random.ts';
import type { Ledger } from '../verdict/ledger.ts';
import { sendMessage } from './acts.ts';
import type { Device } from './device.ts';
import type { Person, PlannedGroup } from './population.ts';

const tickMs = 20;
/** A device with so many requests unanswered makes no new one: load adapts to what the servers bear. */
const unansweredMax = 20;
/** One in so many gives a message up when the server is busy. */
const givingUpEvery = 10;
const filler = 'the quick brown fox 🦊 jumps over the lazy dog; добрый вечер; こんばんは; ';

/** Sends messages of random members to random groups, `rate` a second in all, until it is stopped. */
export function startChatter(
  ledger: Ledger,
  groups: readonly PlannedGroup[],
  rate: number,
  random: Random,
): { stop(): void } {
  let due = 0;
  let count = 0;
  const timer = setInterval(() => {
    // What could not be sent in time is left out, not made up for in a flood.
    due = Math.min(due + (rate * tickMs) / 1_000, rate);
    for (; due >= 1; due -= 1) {
      const group = random.pick(groups);
      const device = deviceOf(random.pick(group.members), random);
      if (group.id === undefined || device.outbox.size >= unansweredMax) continue;
      count += 1;
      const content = `${device.name} ${count} ${filler.repeat(random.integer(0, 2))}`;
      void sendMessage(ledger, device, group.id, content, { givesUp: count % givingUpEvery === 0 });
    }
  }, tickMs);
  return { stop: () => clearInterval(timer) };
}

export function deviceOf(person: Person, random: Random): Device {
  return random.pick(person.devices);
}
