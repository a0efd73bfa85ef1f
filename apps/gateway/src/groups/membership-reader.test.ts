import type { ParamsOf } from '@hooligram/contract';
import { expect, test } from '@jest/globals';
import type { Core } from '../core/core-client.ts';
import { MembershipReader } from './membership-reader.ts';

type Asked = { readonly params: ParamsOf<'REPLAY_GROUPS'>; answer(): void };

/** A core that answers when the test says so. */
function slowCore() {
  const asked: Asked[] = [];
  const request = (_type: string, params: ParamsOf<'REPLAY_GROUPS'>) =>
    new Promise((resolve) => {
      const memberships = params.group_ids.map((group_id) => ({ group_id }));
      asked.push({ params, answer: () => resolve({ ok: true, answer: { memberships } }) });
    });
  return { core: { request } as unknown as Core, asked };
}

const from = (first: number, count: number) => Array.from({ length: count }, (_, n) => first + n);
const connectionsOf = (userId: number, count: number) => {
  const user = { userId };
  return from(0, count).map(() => ({ user, isOpen: true }));
};
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('twenty connections of a user that are added to a hundred groups ask for them three times, not two thousand', async () => {
  const { core, asked } = slowCore();
  const reader = new MembershipReader(core);
  const connections = connectionsOf(7, 20);
  const reads = from(1, 100).flatMap((id) =>
    connections.map((connection) => reader.read(connection, [id], false)),
  );
  // What is at the core says nothing to those who come later.
  expect(asked.map(({ params }) => params.group_ids)).toEqual([[1], [1]]);
  asked[0]?.answer();
  await settled();
  expect(asked[2]?.params).toEqual({ user_id: 7, group_ids: from(1, 100) });
  asked[1]?.answer();
  asked[2]?.answer();
  const replies = await Promise.all(reads);
  expect(replies.every((reply) => reply?.ok)).toBe(true);
  expect(asked).toHaveLength(3);
});

test('no request names more than 200 groups, and a sign-in among those who wait makes it the question of a sign-in', async () => {
  const { core, asked } = slowCore();
  const reader = new MembershipReader(core);
  const portions = [from(1, 200), from(201, 200), from(1, 200), from(401, 1)];
  const reads = connectionsOf(7, 4).map((connection, n) =>
    reader.read(connection, portions[n] ?? [], n === 2),
  );
  for (const at of from(0, 4)) {
    asked[at]?.answer();
    await settled();
  }
  await Promise.all(reads);
  expect(asked.map(({ params }) => [params.group_ids.length, params.is_sign_in])).toEqual([
    [200, undefined],
    [200, undefined],
    [200, true],
    [1, undefined],
  ]);
});

test('nobody is asked for connections that are over, and users do not wait for each other', async () => {
  const { core, asked } = slowCore();
  const reader = new MembershipReader(core);
  const connections = connectionsOf(7, 4);
  const reads = connections.map((connection, n) => reader.read(connection, [n], false));
  for (const connection of connections.slice(2)) connection.isOpen = false;
  const [other] = connectionsOf(8, 1);
  const ofOther = other && reader.read(other, [1], false);
  expect(asked.map(({ params }) => params.user_id)).toEqual([7, 7, 8]);
  for (const { answer } of asked) answer();
  expect(await Promise.all(reads.slice(2))).toEqual([undefined, undefined]);
  expect((await ofOther)?.ok).toBe(true);
  expect(asked).toHaveLength(3);
});
