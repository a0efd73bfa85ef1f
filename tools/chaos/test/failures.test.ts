import { expect, test } from '@jest/globals';
import type { Answer, History } from '../src/checker/history.ts';
import { failuresSince } from '../src/failures.ts';
import { bob, cem, fixture } from './fixture.ts';

const group = 7;
const refused: Answer = { ok: false, at: 0, errors: ['not a member of the group'] };

/** A history in which Cem leaves at 30 to 31, and is added again at 60 to 61. */
function history(): History {
  const { history: records } = fixture();
  records.sends.length = 0;
  return records;
}

type Send = {
  readonly sid: string;
  readonly at: number;
  readonly answeredAt?: number;
  readonly connection?: number;
};

function send({ sends }: History, { sid, at, answeredAt, connection = 2 }: Send): void {
  const answer = answeredAt === undefined ? {} : { answer: { ...refused, at: answeredAt } };
  const attempts = [{ connection, at, ...answer }];
  sends.push({ sid, id: `r-${at}`, attempts, groupId: group, content: `words ${at}`, isOnce: true });
}

test.each([
  ['while the leave was on its way', { sid: cem, at: 29, answeredAt: 30.5 }],
  ['after the leave', { sid: cem, at: 40, answeredAt: 41 }],
  ['while the adding was on its way', { sid: cem, at: 60.5, answeredAt: 60.8 }],
])('a refusal of somebody who had left, %s, is no failed request', (_, sent) => {
  const records = history();
  send(records, sent);
  expect(failuresSince(records, 0)).toEqual({ failed: {}, ofLeavers: 1, unanswered: 0 });
});

test.each([
  ['who has not left yet', { sid: cem, at: 20, answeredAt: 21 }],
  ['who was added again', { sid: cem, at: 62, answeredAt: 63 }],
  ['who never left', { sid: bob, at: 40, answeredAt: 41 }],
])('a refusal of somebody %s is a failed request', (_, sent) => {
  const records = history();
  send(records, sent);
  const failed = { 'not a member of the group': 1 };
  expect(failuresSince(records, 0)).toEqual({ failed, ofLeavers: 0, unanswered: 0 });
  expect(failuresSince(records, 70)).toEqual({ failed: {}, ofLeavers: 0, unanswered: 0 });
});

test('a message without an answer counts if the server ended its connection, not if the device did', () => {
  const records = history();
  send(records, { sid: bob, at: 40, connection: 1 });
  send(records, { sid: bob, at: 41, connection: 3 });
  const cut = records.connections[3];
  if (cut) cut.cutAt = 42;
  expect(failuresSince(records, 0)).toEqual({ failed: {}, ofLeavers: 0, unanswered: 1 });
});
