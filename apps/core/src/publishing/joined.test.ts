import { createNames } from '@hooligram/bus';
import { expect, test } from '@jest/globals';
import type { Context } from '../context.ts';
import { publishJoined } from './joined.ts';

const names = createNames('test');
const users = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

/** A bus on which gateways listen to some users; it counts what it is asked and given. */
function bus(heard: readonly number[], isAway = false) {
  const channels = new Set(heard.map((id) => names.user(id)));
  const asked: number[] = [];
  const published: string[] = [];
  const context = {
    names,
    publisher: { publish: (channel: string) => published.push(channel) },
    async countListeners(some: readonly string[]) {
      asked.push(some.length);
      if (isAway) throw new Error('away');
      return some.map((channel) => (channels.has(channel) ? 1 : 0));
    },
  } as unknown as Context;
  return { context, asked, published };
}

test('of a group of thousands, those whom a gateway holds are told, and the others are asked about in portions', async () => {
  const { context, asked, published } = bus([7, 1_100]);
  await publishJoined(context, { group_id: 1, since: 0 }, users(1_200));
  expect(asked).toEqual([500, 500, 200]);
  expect(published).toEqual([names.user(7), names.user(1_100)]);
});

test('a few are told without a question, and all are told if Redis does not say who listens', async () => {
  const small = bus([]);
  await publishJoined(small.context, { group_id: 1, since: 0 }, users(2));
  expect([small.asked.length, small.published.length]).toEqual([0, 2]);
  const away = bus([], true);
  await publishJoined(away.context, { group_id: 1, since: 0 }, users(600));
  expect(away.published).toHaveLength(600);
});
