import { expect, test } from '@jest/globals';
import { decodePublication, readRedeliveryAcknowledged } from './publications.ts';
import { readAnswers, readRequest } from './request-shapes.ts';
import type { RequestType } from './requests.ts';
import { UnreadableError } from './shape.ts';

const state = {
  group_id: 1,
  version: 2,
  version_seq: 3,
  date_created: '2026-11-22T07:08:57.123Z',
  group_name: '',
  is_direct_message: true,
  closed: false,
  members: [[1, '1.5550100', 0]],
};
const odd = [undefined, null, 0, '', 'text', true, [], {}, [null], { ref: 1 }];

/** Every value in which one field of the given one is missing, or something else. */
function spoilt(value: object): object[] {
  return Object.keys(value).flatMap((name) => [
    ...[null, -1, 'text', [null], { a: 1 }, 1.5, Number.MAX_VALUE].map((wrong) => ({
      ...value,
      [name]: wrong,
    })),
    Object.fromEntries(Object.entries(value).filter(([other]) => other !== name)),
  ]);
}

/** What a spoilt field may be because that is one of its own values: a text may be `text`. */
const isDifferent = (value: object, other: object) =>
  Object.entries(value).some(
    ([name, field]) => typeof field !== typeof (other as Record<string, unknown>)[name],
  );

test('a publication with a field missing or of another type is unreadable, whatever its type tag', () => {
  const bodies: [string, object][] = [
    ['s', state],
    ['j', { user_id: 1, group_id: 2, since: 3 }],
    ['a', { group_id: 1, version: 2, last_seq: 3, due_seq: 4, due_version: 5 }],
    ['n', { user_id: 1, token: 'token', reply_to: 'channel' }],
    ['e', { user_id: 1 }],
    ['t', { traced: [[1, 'context']] }],
  ];
  for (const [typeTag, body] of bodies) {
    const decode = (value: unknown) => decodePublication(Buffer.from(`${typeTag}\n${JSON.stringify(value)}`));
    expect(decode({ ...body, further: 'for a newer release' })).toBeDefined();
    for (const other of spoilt(body).filter((other) => isDifferent(body, other))) {
      expect(() => decode(other)).toThrow(UnreadableError);
    }
    for (const other of odd) expect(() => decode(other)).toThrow(UnreadableError);
    for (const text of ['', '{', 'undefined']) {
      expect(() => decodePublication(Buffer.from(`${typeTag}\n${text}`))).toThrow(UnreadableError);
    }
  }
});

test('messages whose header and frames do not agree are unreadable', () => {
  for (const text of [
    'm \n{}',
    'm 1 2 3\n{}',
    'm 1 2 3 4\n{}\n{}',
    'M 1 2 3 4 5\n{}',
    'm a 2 3 4\n{}',
    'm 1 2 -3 4\n{}',
  ]) {
    expect(() => decodePublication(Buffer.from(text))).toThrow(UnreadableError);
  }
});

test('an acknowledgement of a redelivery request that is none is unreadable', () => {
  expect(readRedeliveryAcknowledged(Buffer.from('{"user_id":1,"token":"a"}'))).toEqual({
    user_id: 1,
    token: 'a',
  });
  for (const text of ['', '{', 'null', '{}', '{"token":1}']) {
    expect(() => readRedeliveryAcknowledged(Buffer.from(text))).toThrow(UnreadableError);
  }
});

test('an item of an entry is a request, or of a type for a newer core, or unreadable', () => {
  const params = { user_id: 1, sid: '1.5550100', repeatable: true, group_id: 2, content: 'text' };
  const request = { ref: 1, request_id: 'id', type: 'MESSAGING_SEND', params };
  expect(readRequest({ ...request, further: 1 })).toMatchObject({ is: 'request', request });
  expect(readRequest({ ...request, type: 'TOMORROW', params: null })).toEqual({
    is: 'unknown',
    type: 'TOMORROW',
    ref: 1,
  });
  expect(readRequest({ ...request, type: 'constructor' })).toMatchObject({ is: 'unknown' });
  for (const item of odd) expect(readRequest(item)).toMatchObject({ is: 'unreadable' });
  for (const item of spoilt(params).filter((other) => isDifferent(params, other))) {
    expect(readRequest({ ...request, params: item })).toEqual({ is: 'unreadable', ref: 1 });
  }
});

test('an answer that cannot be read is none, and the others of its publication are taken', () => {
  const types: Record<number, RequestType> = { 1: 'REPLAY_GROUPS', 2: 'MESSAGING_SEND', 3: 'MESSAGING_SEND' };
  const read = (text: string) => readAnswers(Buffer.from(text), (ref) => types[ref]);
  const good = [
    { ref: 1, ok: true, answer: { memberships: [] } },
    { ref: 2, ok: false, errors: ['closed'] },
    { ref: 99, ok: true, answer: {} },
    { ref: 2, epoch: 1_700_000_000_000, ok: true, answer: { message_id: 1 } },
  ];
  const bad = [
    ...odd.map((item) => item ?? null),
    { ref: 1, ok: true, answer: { memberships: [{ state: { group_id: 1 } }] } },
    { ref: 2, ok: true, answer: {} },
    { ref: 3, ok: true },
    { ref: 3, ok: false },
    { ref: 3, ok: 'yes', answer: { message_id: 1 } },
    { ref: 3, epoch: 'later', ok: true, answer: { message_id: 1 } },
    { ref: 3, epoch: -1, ok: false, errors: [] },
  ];
  expect(read(JSON.stringify([...bad, ...good]))).toEqual({ answers: good, unreadable: bad.length });
  for (const text of ['', '{', 'null', '{}', '"lost"']) expect(() => read(text)).toThrow(UnreadableError);
});
