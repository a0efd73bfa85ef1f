import { expect, test } from '@jest/globals';
import { Arrivals } from './arrivals.ts';

test('messages that came in the order of their groups, side by side, are complete when the last one has come', () => {
  const arrivals = new Arrivals([7, 8], 2);
  expect([arrivals.receive(7, 1), arrivals.receive(8, 1), arrivals.receive(8, 2)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(arrivals).toMatchObject({ count: 3, wholeGroups: 1, isComplete: false });
  expect(arrivals.receive(7, 2)).toBeUndefined();
  expect(arrivals).toMatchObject({ count: 4, wholeGroups: 2, isComplete: true });
});

test.each([
  ['is missing', 7, 3, 'message 3 of group 7 came after 1'],
  ['comes twice', 7, 1, 'message 1 of group 7 came after 1'],
  ['nobody stored', 9, 1, 'a message of group 9 came, in which nothing waited'],
])('a message that %s is a fault, and does not count', (_, groupId, number, fault) => {
  const arrivals = new Arrivals([7, 8], 4);
  arrivals.receive(7, 1);
  expect(arrivals.receive(groupId, number)).toBe(fault);
  expect(arrivals.count).toBe(1);
});

test('a message beyond the last one is a fault', () => {
  const arrivals = new Arrivals([7], 1);
  arrivals.receive(7, 1);
  expect(arrivals.receive(7, 2)).toBe('message 2 of group 7 came, and was never stored');
});
