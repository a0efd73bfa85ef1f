import { afterEach, expect, test } from '@jest/globals';
import { gatewayWith, userId } from '../bare-gateway.ts';

let gateway: ReturnType<typeof gatewayWith>;
let drain: () => void;
afterEach(() => gateway.close());

/** Signs in a connection whose client has not read what was sent before, until the state of its group waits for its turn. */
async function stateWaits() {
  gateway = gatewayWith(1);
  const { context, socket } = gateway;
  const drained = new Promise<void>((resolve) => {
    drain = () => {
      socket.unreadBytes = 0;
      resolve();
    };
  });
  Object.assign(socket, { unreadBytes: 1_000_000, drained: () => drained });
  const connection = context.users.signIn(socket, userId, '1.0');
  let isRead = false;
  const joined = context.groups.joinAll(connection, [1], [], () => {
    isRead = true;
  });
  // The core answers at once, so all that is left after some ticks is the wait for the socket.
  for (let tick = 0; tick < 20; tick += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(gateway.requests.map(({ type }) => type)).toContain('GROUP_STATES');
  expect(gateway.frames).toEqual([]);
  return { connection, joined, isRead };
}

const typesSent = () =>
  gateway.frames.map((frame) => JSON.parse(frame) as { type?: string; payload?: object });

test('a user who is taken out while their state waits for its turn on the socket is sent nothing', async () => {
  const { joined } = await stateWaits();
  const { context, answers, state } = gateway;
  answers.REPLAY_GROUPS = () => ({ memberships: [] });
  context.groups.find(1)?.apply({ ...state(1), version: 2, members: [[userId + 1, '1.1', 0]] });
  drain();
  await joined;
  expect(gateway.frames).toEqual([]);
  expect(context.groups.find(1)).toBeUndefined();
});

test('a state that changes while it waits for its turn on the socket is sent as it is then, once', async () => {
  const { joined } = await stateWaits();
  const { context, state } = gateway;
  context.groups.find(1)?.apply({ ...state(1), version: 2, group_name: 'new' });
  drain();
  await joined;
  expect(typesSent()[0]).toMatchObject({ type: 'GROUP_DELIVER_REQUEST', payload: { group_name: 'new' } });
  expect(typesSent().filter(({ type }) => type === 'GROUP_DELIVER_REQUEST')).toHaveLength(1);
});

test('a sign-in needs no place any more when its groups were read, also while its client reads nothing', async () => {
  const { joined, isRead } = await stateWaits();
  expect(isRead).toBe(true);
  drain();
  await joined;
});
