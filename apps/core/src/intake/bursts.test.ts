import type { CoreRequest } from '@hooligram/contract';
import { expect, test } from '@jest/globals';
import { burstsOf } from './bursts.ts';

const entry = {
  id: '1-1',
  shard: 0,
  node: 'gateway',
  deadline: 1,
  requestsOpen: 0,
  areOutcomesKnown: true,
  failuresBefore: 0,
};
const page = { group_id: 1, after_seq: 0 };

/** Whose turn a request takes. */
function ownerOf(request: Pick<CoreRequest, 'type' | 'params'>) {
  const [burst] = burstsOf(entry, [{ ref: 1, request_id: 'id', ...request } as CoreRequest]);
  return burst?.owner;
}

test('a page and a list of groups take the turn of the user who needs them, not of all users of their gateway', () => {
  expect(ownerOf({ type: 'REPLAY_PAGE', params: { ...page, user_id: 7 } })).toBe(7);
  expect(ownerOf({ type: 'GROUP_IDS', params: { user_ids: [7] } })).toBe(7);
  expect(ownerOf({ type: 'REPLAY_GROUPS', params: { user_id: 7, group_ids: [1] } })).toBe(7);
});

test('what a gateway needs for many users takes the turn of the gateway', () => {
  expect(ownerOf({ type: 'REPLAY_PAGE', params: page })).toBe('gateway');
  expect(ownerOf({ type: 'GROUP_IDS', params: { user_ids: [7, 8] } })).toBe('gateway');
});
