import { until } from '@hooligram/testkit';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Resync, resync } from '../src/core/resync.ts';
import { DeliveryCursor } from '../src/groups/delivery-cursor.ts';
import { Subscription } from '../src/groups/subscription.ts';
import { UserConnection } from '../src/groups/user-connection.ts';
import { Users } from '../src/groups/users.ts';
import { gatewayWith, userId } from './bare-gateway.ts';

const sizes = [200, 400] as const;

/** Twice the size may cost twice as much, and a little that does not grow. */
const growthMax = 2.1;

let steps = 0;

/** From now on each call of these is a step. */
function count<T extends object>(prototype: T, ...names: readonly (keyof T)[]): void {
  for (const name of names) {
    const original = prototype[name] as (...args: unknown[]) => unknown;
    prototype[name] = function (this: T, ...args: unknown[]) {
      steps += 1;
      return original.apply(this, args);
    } as T[keyof T];
    restore.push(() => {
      prototype[name] = original as T[keyof T];
    });
  }
}

const restore: (() => void)[] = [];
beforeEach(() => {
  count(DeliveryCursor.prototype, 'unacknowledged', 'isBehind', 'raiseTo', 'acknowledge');
});
afterEach(() => {
  jest.restoreAllMocks();
  for (const each of restore.splice(0)) each();
});

/** How many steps it takes with each of the sizes. */
async function stepsOf(
  run: (size: number) => Promise<void>,
  ofSizes: readonly number[] = sizes,
): Promise<number[]> {
  const taken: number[] = [];
  for (const size of ofSizes) {
    steps = 0;
    await run(size);
    taken.push(steps);
  }
  return taken;
}

function expectGrowth([one = 0, two = 0]: readonly number[]): void {
  expect(one).toBeGreaterThan(0);
  expect(two / one).toBeLessThan(growthMax);
}

test('a sign-in with twice as many groups that have something unread takes twice the steps', async () => {
  expectGrowth(
    await stepsOf(async (size) => {
      const { signIn, requests, close } = gatewayWith(size);
      await signIn(true);
      // Cursors are written when it is time: how often is up to the machine.
      steps += requests.filter(({ type }) => type !== 'CURSOR_RAISE').length;
      close();
    }),
  );
});

test('to look whether a user is behind takes no step for what they have acknowledged', async () => {
  const taken = await stepsOf(async (size) => {
    const { signIn, close } = gatewayWith(size);
    const connection = await signIn(true);
    for (const id of Array.from({ length: size }, (_, at) => at + 1)) {
      connection.find(id)?.cursor?.acknowledgeState(1);
    }
    // The first look forgets what is acknowledged.
    expect(connection.user.isBehind).toBe(false);
    steps = 0;
    expect(connection.user.isBehind).toBe(false);
    steps += 1;
    close();
  });
  expect(taken).toEqual([1, 1]);
});

test('to report all groups of a user in portions takes twice the steps for twice as many', async () => {
  expectGrowth(
    await stepsOf(async (size) => {
      const { signIn, close } = gatewayWith(size);
      const { user } = await signIn(true);
      steps = 0;
      const reported = new Set<number>();
      while (reported.size < size) for (const { groupId } of user.takeOwedCursors(20)) reported.add(groupId);
      close();
    }),
  );
});

test('a group whose state is known here is joined without a look at its other members', async () => {
  const looks = jest.spyOn(Users.prototype, 'find');
  const { signIn, close } = gatewayWith(1, 10_000);
  await signIn(false);
  expect(looks.mock.calls.length).toBeGreaterThan(10_000);
  looks.mockClear();
  await signIn(false);
  expect(looks.mock.calls.length).toBeLessThan(20);
  close();
});

/** A group whose members are all here, each on a connection that has its one message. */
async function crowdOf(size: number) {
  const gateway = gatewayWith(1, size);
  const { users, groups } = gateway.context;
  const connections = Array.from({ length: size }, (_, at) =>
    users.signIn(gateway.socket, userId + at, `1.${at}`),
  );
  for (const connection of connections) await groups.joinAll(connection, [1]);
  while (connections.some(({ replaying }) => replaying > 0)) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  const feed = connections[0]?.find(1)?.feed;
  if (!feed) throw new Error('nobody is in the group');
  return { ...gateway, feed };
}

test.each([
  ['published to them at once', [150, 300]],
  ['told to one after the other', [500, 1_000]],
])('a state that is %s takes twice the steps for twice as many members here', async (_, ofSizes) => {
  count(Users.prototype, 'find');
  count(UserConnection.prototype, 'find', 'isIn');
  count(Subscription.prototype, 'onStatePublished', 'tellState', 'sendState');
  const taken = await stepsOf(async (size) => {
    const { feed, state, close } = await crowdOf(size);
    steps = 0;
    feed.apply({ ...state(1), version: 2 });
    while (feed.tellNext()) steps += 1;
    close();
  }, ofSizes);
  expectGrowth(taken);
});

test('a delivery check takes twice the steps for twice as many members here, though all of them are late', async () => {
  count(Users.prototype, 'find');
  const taken = await stepsOf(async (size) => {
    const { feed, close } = await crowdOf(size);
    steps = 0;
    feed.check({ group_id: 1, last_seq: 1, version: 1, due_seq: 1, due_version: 1 });
    close();
  });
  expectGrowth(taken);
});

test('a connection that ends leaves twice as many groups in twice the steps', async () => {
  count(Users.prototype, 'find');
  count(UserConnection.prototype, 'find', 'isIn');
  count(Subscription.prototype, 'leave');
  const taken = await stepsOf(async (size) => {
    const { context, socket, signIn, close } = gatewayWith(size);
    const connection = await signIn(true);
    steps = 0;
    Object.assign(socket, { isOpen: false });
    context.users.signOut(connection);
    while ([...connection.subscriptions()].length > 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    close();
  });
  expectGrowth(taken);
});

/** Of each write on a socket from now on that a state is part of, how many states it has. */
function stateWrites({ socket }: ReturnType<typeof gatewayWith>): number[] {
  const writes: number[] = [];
  let isTogether = false;
  const { send } = socket;
  socket.send = (...more) => {
    const states = more.filter((frame) => String(frame).includes('GROUP_DELIVER_REQUEST')).length;
    if (isTogether) writes.push((writes.pop() ?? 0) + states);
    else if (states > 0) writes.push(states);
    send(...more);
  };
  socket.together = (work) => {
    isTogether = true;
    writes.push(0);
    const result = work();
    if (writes.at(-1) === 0) writes.pop();
    isTogether = false;
    return result;
  };
  return writes;
}

test('the states of a portion that are read leave together, as they come', async () => {
  const gateway = gatewayWith(150);
  const writes = stateWrites(gateway);
  await gateway.signIn(true);
  expect(writes).toEqual([150]);
  gateway.close();
});

test('the states of all groups of a portion that are known here leave together', async () => {
  const gateway = gatewayWith(150);
  await gateway.signIn(true);
  const writes = stateWrites(gateway);
  await gateway.signIn(false);
  expect(writes).toEqual([150]);
  gateway.close();
});

test('resyncs that are wanted while one is under way are one more, whose groups come before the users of the first', async () => {
  const { context, signIn, requests, close } = gatewayWith(3);
  await signIn(false);
  requests.length = 0;
  const resyncs = new Resync(
    () => context,
    () => true,
  );
  for (let wanted = 0; wanted < 4; wanted += 1) resyncs.start();
  // No socket and no timer is part of it.
  for (let tick = 0; tick < 10; tick += 1) await new Promise((resolve) => setImmediate(resolve));
  const types = requests.map(({ type }) => type).filter((type) => type.startsWith('GROUP_'));
  expect(types).toEqual(['GROUP_HEADS', 'GROUP_HEADS', 'GROUP_IDS']);
  close();
});

test('a resync asks for a thousand groups at a time, and for pages only of those that are behind', async () => {
  const { context, signIn, requests, close } = gatewayWith(2_500);
  await signIn(false);
  requests.length = 0;
  await resync(context, () => true);
  expect(requests.map(({ type }) => type)).toEqual([
    'GROUP_HEADS',
    'GROUP_HEADS',
    'GROUP_HEADS',
    'GROUP_IDS',
  ]);
  close();
});

test('what many groups missed is fetched a few at a time, and at once in one in which somebody writes', async () => {
  const size = 20;
  const never = Number.MAX_SAFE_INTEGER;
  const changed = { CATCH_UPS_MAX: 2, LOOP_LATE_MAX_MS: never, GAP_WAIT_MS: 1 };
  const { context, answers, signIn, close } = gatewayWith(size, 2, 60_000, changed);
  await signIn(true);
  const asked: number[] = [];
  const answer: (() => void)[] = [];
  answers.GROUP_HEADS = ({ group_ids }) => ({ heads: group_ids.map((id) => [id, 1, 2] as const) });
  answers.REPLAY_PAGE = ({ group_id }) => {
    asked.push(group_id);
    const page = { group_id, version: 1, last_seq: 2, through_seq: 2 };
    return new Promise((resolve) => {
      answer.push(() => resolve({ ...page, messages: [[2, size + group_id, '{}']] }));
    });
  };
  await resync(context, () => true);
  await until('two pages are asked for', () => asked.length === 2);
  const busy = context.groups.find(size);
  const next = { group_id: size, version: 1, seq: 3, message_ids: [3 * size], frames: [Buffer.from('{}')] };
  busy?.receive(next);
  await until('a third one is', () => asked.length === 3);
  expect(asked).toEqual([1, 2, size]);
  for (let answered = 0; answered < size; answered += 1) {
    await until('the next page is asked for', () => answer.length > answered);
    expect(asked.length - answered).toBeLessThanOrEqual(3);
    answer[answered]?.();
  }
  await until('all have come', () =>
    context.groups.ids().every((id) => (context.groups.find(id)?.lastSeq ?? 0) >= 2),
  );
  expect(busy?.lastSeq).toBe(3);
  // It was not asked for again in its turn.
  expect([...asked].sort((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, at) => at + 1));
  close();
});
