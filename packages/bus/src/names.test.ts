import { expect, test } from '@jest/globals';
import { createNames } from './names.ts';

test('a tag stands in all keys and in no channel, and without one nothing stands in its place', () => {
  const tagged = createNames('hooligram', undefined, '7');
  expect([tagged.requests, tagged.inProgress('1-0'), tagged.queues, tagged.databaseEpoch]).toEqual([
    'hooligram:{7}:{requests}',
    'hooligram:{7}:{requests}:in-progress:1-0',
    'hooligram:{7}:{queues}',
    'hooligram:{7}:database-epoch',
  ]);
  expect([tagged.group(7), tagged.gateways]).toEqual(['hooligram:group:7', 'hooligram:gateways']);
  const { requests, queues, limits } = createNames('hooligram');
  expect([requests, queues, limits]).toEqual([
    'hooligram:{requests}',
    'hooligram:{queues}',
    'hooligram:limit',
  ]);
});

test('a prefix with a tag of its own is refused where a tag is needed', () => {
  expect(() => createNames('{a}', undefined, '7')).toThrow('REDIS_PREFIX may have no braces');
});

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
