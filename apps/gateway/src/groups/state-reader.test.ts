import type { GroupState } from '@hooligram/contract';
import { expect, test } from '@jest/globals';
import type { Core } from '../core/core-client.ts';
import { StateReader } from './state-reader.ts';

/** Reads a state of so many members. @returns in which rounds of the event loop it came, was encoded, and was applied */
async function roundsOf(members: number) {
  let round = 0;
  let isOver = false;
  const nextRound = () => {
    round += 1;
    if (!isOver) setImmediate(nextRound);
  };
  setImmediate(nextRound);
  const encodedIn: number[] = [];
  let answeredIn = 0;
  const state = {
    group_id: 1,
    version: 2,
    version_seq: 0,
    date_created: '2026-11-22T07:08:57.123Z',
    get group_name() {
      encodedIn.push(round);
      return 'a group';
    },
    is_direct_message: false,
    closed: false,
    members: Array.from({ length: members }, (_, at) => [at, `1.${1_000 + at}`, 0] as const),
  } satisfies GroupState;
  const request = async () => {
    answeredIn = round;
    return { ok: true, answer: { states: [state], looked: 1 } };
  };
  const reader = new StateReader({ request } as unknown as Core);
  const applied: { in: number; encoded: string | undefined }[] = [];
  const feed = {
    id: 1,
    version: 1,
    apply: (_: GroupState, encoded?: string) => {
      applied.push({ in: round, encoded });
    },
  };
  await reader.read(feed);
  isOver = true;
  return { answeredIn, encodedIn, applied: applied[0] };
}

test('a large state is encoded in a round of the event loop of its own, and applied in another one', async () => {
  const { answeredIn, encodedIn, applied } = await roundsOf(1_000);
  expect(encodedIn).toEqual([answeredIn + 1]);
  expect(applied?.in).toBe(answeredIn + 2);
  expect(applied?.encoded).toContain('1.1999');
});

test('a small one is applied at once, and encoded there', async () => {
  const { answeredIn, encodedIn, applied } = await roundsOf(999);
  expect(encodedIn).toEqual([]);
  expect(applied).toEqual({ in: answeredIn, encoded: undefined });
});
