import { expect, test } from '@jest/globals';
import { createNames } from './names.ts';

test('the subject of a channel is known in every epoch, and no other name has one', () => {
  let epoch = 0;
  const names = createNames('hooligram', () => epoch);
  const before = [names.group(7), names.user(8)];
  epoch = 1_700_000_000_000;
  const now = [names.group(7), names.user(8)];
  const subjects = [
    { type: 'group', id: 7 },
    { type: 'user', id: 8 },
  ];
  expect([before, now].map((channels) => channels.map(names.subjectOf))).toEqual([subjects, subjects]);
  expect([before, now].map((channels) => channels.map(names.isOfEpoch))).toEqual([
    [false, false],
    [true, true],
  ]);
  const others = [names.gateways, names.gateway('7'), names.core('7'), names.requests, 'other:group:7'];
  expect(others.map(names.subjectOf)).toEqual(others.map(() => undefined));
});
