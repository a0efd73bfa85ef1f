import type { AnswerOf, GroupState, ParamsOf, RequestType } from '@hooligram/contract';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { createBudgets } from '../src/budgets.ts';
import type { ClientSocket } from '../src/client-socket.ts';
import type { GatewayConfig } from '../src/config.ts';
import { resync } from '../src/core/resync.ts';
import { createContext } from '../src/create-context.ts';
import { acknowledgeMessage } from '../src/delivery/acknowledge.ts';
import { DeliveryCursor } from '../src/groups/delivery-cursor.ts';
import { Users } from '../src/groups/users.ts';
import type { GatewayMetrics } from '../src/metrics.ts';

const userId = 1;
const sizes = [200, 400] as const;

/** Twice the size may cost twice as much, and a little that does not grow. */
const growthMax = 2.1;

type Request = { [K in RequestType]: { type: K; params: ParamsOf<K> } }[RequestType];

/** A gateway's groups without its sockets and stores, and a core that answers from `groups` groups with one unread message. */
function gatewayWith(groups: number, members = 2) {
  const ids = Array.from({ length: groups }, (_, at) => at + 1);
  const requests: Request[] = [];
  let sent = 0;
  const state = (group_id: number): GroupState => ({
    group_id,
    version: 1,
    version_seq: 0,
    date_created: '2026-11-22T07:08:57.123Z',
    group_name: '',
    is_direct_message: false,
    closed: false,
    members: Array.from({ length: members }, (_, at) => [userId + at, `1.${at}`, 0] as const),
  });
  const answers: { [K in RequestType]?: (params: ParamsOf<K>) => AnswerOf<K> } = {
    REPLAY_GROUPS: ({ group_ids }) => ({
      memberships: (group_ids ?? []).map((group_id) => ({
        ...{ group_id, version: 1, closed: false, joined_seq: 0, last_seq: 1 },
        ...{ delivered_seq: 0, delivered_version: 0, retried_version: 0 },
      })),
    }),
    GROUP_STATES: ({ group_ids }) => ({ states: group_ids.map(state), looked: group_ids.length }),
    GROUP_IDS: ({ user_ids }) => ({ group_ids: user_ids.map(() => ids) }),
    GROUP_HEADS: ({ group_ids }) => ({ heads: group_ids.map((id) => [id, 1, 1] as const) }),
    REPLAY_PAGE: ({ group_id }) => ({
      ...{ group_id, version: 1, state: null, last_seq: 1, through_seq: 1 },
      messages: [[1, group_id, '{}']],
    }),
  };
  const request = async (type: RequestType, params: never) => {
    requests.push({ type, params } as Request);
    const answer = answers[type] as ((given: never) => never) | undefined;
    return answer ? { ok: true, answer: answer(params) } : { ok: false, errors: [] };
  };
  const count = { count: 0, inc() {} };
  const metrics = new Proxy({}, { get: () => count });
  const config = {
    REDIS_PREFIX: 'steps',
    REPLAY_WINDOW: 16,
    CURSOR_FLUSH_MS: 1,
    DELIVERY_ACK_DEADLINE_MS: 60_000,
    GAP_HELD_BYTES_MAX: 1_000_000,
    RECENT_MESSAGES_BYTES_MAX: 1_000_000,
  } as GatewayConfig;
  const context = createContext(0, {
    config,
    budgets: createBudgets(config, metrics as GatewayMetrics),
    core: { within: () => ({ request }) },
    subscriptions: { acquire: async () => {}, release() {} },
    metrics,
    publish() {},
    send() {},
  } as unknown as Parameters<typeof createContext>[1]);
  const socket = {
    isOpen: true,
    unreadBytes: 0,
    drained: async () => {},
    send: (...frames: unknown[]) => {
      sent += frames.length;
    },
    join() {},
    leave() {},
    end() {},
  } as unknown as ClientSocket;
  /** Signs a connection of the user in. Resolves when everything was sent. */
  const signIn = async (acknowledge: boolean) => {
    const before = sent;
    const connection = context.users.signIn(socket, userId, '1.0');
    await context.groups.joinAll(connection, ids);
    for (let at = 0; at < groups; ) {
      await new Promise((resolve) => setImmediate(resolve));
      // Frames are states first; messages have the ids of their groups.
      for (const end = Math.min(groups, sent - before - groups); at < end && acknowledge; at += 1) {
        acknowledgeMessage(context, connection, ids[at] as number);
      }
      if (!acknowledge && sent - before >= groups) break;
    }
    return connection;
  };
  const close = () => {
    context.overdue.close();
    context.cursorWriter.close();
  };
  return { context, requests, signIn, close };
}

let steps = 0;
beforeEach(() => {
  for (const name of ['unacknowledged', 'isBehind', 'raiseTo', 'acknowledge'] as const) {
    const original = DeliveryCursor.prototype[name] as (...args: never[]) => unknown;
    jest.spyOn(DeliveryCursor.prototype, name).mockImplementation(function (
      this: DeliveryCursor,
      ...args: unknown[]
    ) {
      steps += 1;
      return original.apply(this, args as never[]) as never;
    });
  }
});
afterEach(() => {
  jest.restoreAllMocks();
});

/** How many steps it takes with each of the sizes. */
async function stepsOf(run: (size: number) => Promise<void>): Promise<number[]> {
  const taken: number[] = [];
  for (const size of sizes) {
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
      steps += requests.length;
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

test('a resync asks for a thousand groups at a time, and for pages only of those that are behind', async () => {
  const { context, signIn, requests, close } = gatewayWith(2_500);
  await signIn(false);
  requests.length = 0;
  await resync(context);
  expect(requests.map(({ type }) => type)).toEqual([
    'GROUP_HEADS',
    'GROUP_HEADS',
    'GROUP_HEADS',
    'GROUP_IDS',
  ]);
  close();
});
