import { expect, test } from '@jest/globals';
import type { Context } from '../context.ts';
import type { HandlerRequest } from './handler.ts';
import { PageRests } from './page-rests.ts';
import { createReplayPageHandler } from './replay-page.ts';

/** A page as the database has it, of so many long messages. It counts those that are encoded. */
function storedPage(group_id: number, count: number) {
  let encoded = 0;
  const messages = Array.from({ length: count }, (_, index) => ({
    seq: index + 1,
    message_id: index + 1,
    sender_sid: '1.5550100',
    date_created: '2026-11-26T00:00:00.000Z',
    get content() {
      encoded += 1;
      return String.fromCharCode(1).repeat(16_000);
    },
  }));
  return { page: { group_id, version: 1, last_seq: count, messages }, encoded: () => encoded };
}

/** Rests on a clock on which any work takes a moment, and how many there were. */
function countedRests() {
  let rested = 0;
  let nowMs = 0;
  const rests = new PageRests({
    nowMs() {
      nowMs += 1;
      return nowMs;
    },
    async pause(ms) {
      nowMs += ms;
      rested += 1;
    },
  });
  return { rests, rested: () => rested };
}

const contextOf = (stored: readonly ReturnType<typeof storedPage>[]) =>
  ({
    config: { REPLAY_PAGE_MESSAGES: 256 },
    replica: { pages: async () => stored.map(({ page }) => page) },
  }) as unknown as Context;

/** Without a user, behind a gap. */
const asked = (group_id: number, user_id?: number): HandlerRequest<'REPLAY_PAGE'> => ({
  request_id: 'r',
  params: { group_id, after_seq: 0, ...(user_id && { user_id }) },
});

test('the pages of a batch are encoded in slices, and of each no more than one message that it has no room for', async () => {
  const stored = Array.from({ length: 8 }, (_, index) => storedPage(index + 1, 17));
  let turns = 0;
  const { rests, rested } = countedRests();
  const countTurn = async () => {
    turns += 1;
  };
  const { handle } = createReplayPageHandler({ turn: countTurn, rests });
  const outcomes = await handle(
    contextOf(stored),
    stored.map(({ page }) => asked(page.group_id, 7)),
  );
  // Seven bytes each in the answer, of which two fit.
  expect(outcomes.map((outcome) => outcome?.ok && outcome.answer.messages.length)).toEqual(Array(8).fill(2));
  expect(outcomes.map((outcome) => outcome?.ok && outcome.answer.through_seq)).toEqual(Array(8).fill(2));
  expect(stored.map(({ encoded }) => encoded())).toEqual(Array(8).fill(3));
  expect(turns).toBe(8);
  // Before the first one nothing was encoded.
  expect(rested()).toBe(7);
});

test('pages behind a gap wait for no rest but that of the large pages of their own batch', async () => {
  const { rests, rested } = countedRests();
  const { handle } = createReplayPageHandler({ turn: async () => {}, rests, areOfGaps: true });
  const restOfEarlier = () => rests.work(() => ({ isLarge: true }));
  const small = [storedPage(1, 1), storedPage(2, 1)];
  restOfEarlier();
  await handle(contextOf(small), [asked(1), asked(2)]);
  expect(rested()).toBe(0);

  const large = [storedPage(1, 17), storedPage(2, 17), storedPage(3, 17)];
  await handle(contextOf(large), [asked(1), asked(2), asked(3)]);
  expect(rested()).toBe(2);
});
