import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { acknowledgeMessage } from '../../src/delivery/acknowledge.ts';
import { onRedeliveryRequest } from '../../src/delivery/redeliver.ts';
import { gatewayWith, userId } from '../bare-gateway.ts';

const deadlineMs = 1_000;
const groups = 40;
const request = { user_id: userId, token: 'token', reply_to: 'core' };

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'] });
});

afterEach(() => {
  jest.useRealTimers();
});

/** A user with a message in each of forty groups, more than fit into the window; `acknowledge` acknowledges the next one. */
async function slowReader() {
  const gateway = gatewayWith(groups, 2, deadlineMs);
  const connection = await gateway.signIn(false);
  let acknowledged = 0;
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return {
    ...gateway,
    reports: () => gateway.requests.filter(({ type }) => type === 'OVERDUE_REPORT').length,
    async acknowledge() {
      acknowledged += 1;
      // Each group has one message, with the id of the group.
      acknowledgeMessage(gateway.context, connection, acknowledged);
      await settled();
    },
    async pass(ms: number) {
      jest.advanceTimersByTime(ms);
      await settled();
    },
  };
}

test('a user who acknowledges a replay, slowly, is reported only when they have stopped', async () => {
  const { acknowledge, pass, reports, close } = await slowReader();
  for (let times = 0; times < 20; times += 1) {
    await acknowledge();
    await pass(0.9 * deadlineMs);
  }
  expect(reports()).toBe(0);
  await pass(2 * deadlineMs);
  expect(reports()).toBe(1);
  close();
});

test('what is on its way to a client that is catching up is not sent again, and is when it has stopped', async () => {
  const { context, acknowledge, pass, frames, close } = await slowReader();
  await acknowledge();
  await acknowledge();
  frames.length = 0;
  await onRedeliveryRequest(context, request);
  expect(frames).toEqual([]);
  await pass(deadlineMs);
  await onRedeliveryRequest(context, request);
  expect(frames.length).toBeGreaterThan(0);
  close();
});
