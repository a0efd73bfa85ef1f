import { expect, test } from '@jest/globals';
import { AnswerSizes } from './answer-sizes.ts';

const most = 256 * 1_024;
const page = { group_id: 1, after_seq: 0 };

test('a page is probably as large as its messages were of late on the connection, and never more than a page', () => {
  const sizes = new AnswerSizes();
  const probable = (limit: number, messageBytes: number) =>
    sizes.of('REPLAY_PAGE', { ...page, limit }, { messageBytes })?.probable ?? 0;
  expect(probable(1, 4_096)).toBeLessThan(5_000);
  expect(probable(64, 96_000)).toBe(most);
});

test('of what nobody knows, an answer is taken for the largest of late: it grows at once, and falls slowly', () => {
  const sizes = new AnswerSizes();
  const probable = () => sizes.of('GROUP_STATES', { group_ids: [1] })?.probable ?? 0;
  expect(probable()).toBe(most);
  sizes.note('GROUP_STATES', 1_000);
  expect(probable()).toBeLessThan(2_000);
  sizes.note('GROUP_STATES', 3_000_000);
  expect(probable()).toBe(most);
  for (let noted = 0; noted < 10; noted += 1) sizes.note('GROUP_STATES', 1_000);
  expect(probable()).toBe(most);
  for (let noted = 0; noted < 90; noted += 1) sizes.note('GROUP_STATES', 1_000);
  expect(probable()).toBeLessThan(2_000);
});
