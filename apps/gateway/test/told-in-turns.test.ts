import { until } from '@hooligram/testkit';
import { afterEach, expect, test } from '@jest/globals';
import { acknowledgeState } from '../src/delivery/acknowledge.ts';
import type { UserConnection } from '../src/groups/user-connection.ts';
import { gatewayWith } from './bare-gateway.ts';

/** With three connections more than a megabyte. */
const members = 40_000;

type Gateway = ReturnType<typeof gatewayWith>;

let gateway: Gateway;
afterEach(() => gateway.close());

/** A gateway with three connections that have acknowledged all of the one group that it has. */
async function start(deadlineMs?: number) {
  gateway = gatewayWith(1, members, deadlineMs);
  const { context, frames, signIn } = gateway;
  const connections: UserConnection[] = [];
  for (let one = 0; one < 3; one += 1) connections.push(await signIn(one === 0));
  for (const connection of connections) acknowledgeState(context, connection, 1);
  // Reports on what they left unacknowledged until now.
  await new Promise((resolve) => setImmediate(resolve));
  frames.length = 0;
  gateway.requests.length = 0;
  return { ...gateway, connections, feed: connections[0]?.find(1)?.feed };
}

const stateOf = ({ state }: Gateway, version: number) => ({ ...state(1), version });
const versionOf = (frame: string) => Number(/"id":"g\.1\.(\d+)"/.exec(frame)?.[1]);
const reports = ({ requests }: Gateway) => requests.filter(({ type }) => type === 'OVERDUE_REPORT');

test('a state that is large for all connections together is not written to all of them at once, and reaches each', async () => {
  const { frames, feed } = await start();
  feed?.apply(stateOf(gateway, 2));
  expect(frames).toHaveLength(0);
  await until(
    'three states',
    () => frames.length,
    (sent) => sent === 3,
  );
  expect(frames.map(versionOf)).toEqual([2, 2, 2]);
});

test('who waits to be told is told the newest state alone', async () => {
  const { frames, feed } = await start();
  feed?.apply(stateOf(gateway, 2));
  feed?.apply(stateOf(gateway, 3));
  await until(
    'three states',
    () => frames.length,
    (sent) => sent === 3,
  );
  feed?.apply(stateOf(gateway, 4));
  await until(
    'six states',
    () => frames.length,
    (sent) => sent === 6,
  );
  expect(frames.map(versionOf)).toEqual([3, 3, 3, 4, 4, 4]);
});

test('nobody is overdue with a state before it was sent, and everybody is who does not acknowledge it after that', async () => {
  const { feed, frames, socket, connections } = await start(200);
  let read = () => {};
  const isRead = new Promise<void>((resolve) => {
    read = resolve;
  });
  // The client reads nothing yet.
  Object.assign(socket, { unreadBytes: 1_000_000, drained: () => isRead });
  feed?.apply(stateOf(gateway, 2));
  await new Promise((resolve) => setImmediate(resolve));
  feed?.check({ group_id: 1, version: 2, last_seq: 1, due_seq: 1, due_version: 2 });
  expect(connections[0]?.user.isBehind).toBe(false);
  expect(reports(gateway)).toHaveLength(0);
  expect(frames).toHaveLength(0);

  Object.assign(socket, { unreadBytes: 0 });
  read();
  await until(
    'three states',
    () => frames.length,
    (sent) => sent === 3,
  );
  await until(
    'a report',
    () => reports(gateway).length,
    (count) => count > 0,
  );
});
