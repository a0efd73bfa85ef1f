import { closeReasons } from '@hooligram/protocol';
import { metrics, patienceMs, uniqueSid } from '@hooligram/testkit';
import { expect, test } from '@jest/globals';
import {
  createGroup,
  messagesOnly,
  receiveMessage,
  sendMessage,
  startFixture,
  state,
  statesOf,
  until,
} from './fixture.ts';

const attemptsMax = 3;

const fixture = startFixture({
  gateways: 2,
  cores: 1,
  // Time for a busy machine to acknowledge what is to be acknowledged.
  env: { DELIVERY_ACK_DEADLINE_MS: '2000' },
  gatewayEnv: { CURSOR_FLUSH_MS: '50' },
  coreEnv: {
    DELIVERY_RETRY_MS: '2000',
    DELIVERY_RETRY_GROWTH: '2',
    DELIVERY_RETRY_JITTER: '0',
    DELIVERY_ATTEMPTS_MAX: String(attemptsMax),
    // An attempt that a busy gateway acknowledges late counts all the same.
    DELIVERY_CONFIRM_TIMEOUT_MS: String(patienceMs),
    SWEEP_EVERY_MS: '600000',
  },
});

async function counted(name: string, labels: Record<string, string> = {}): Promise<number> {
  return (await metrics(fixture.system.core(0).adminUrl)).value(`hooligram_core_${name}`, labels);
}

/** The delays before a user's attempts, in milliseconds, as they were planned: BullMQ stores when each is due. */
async function pausesOf(sid: string): Promise<number[]> {
  const [user] = await fixture.rows<{ id: number }>('SELECT id FROM "user" WHERE sid = $1', [sid]);
  const redis = await fixture.redis();
  const events = await redis.xrange(`${fixture.names.queues}:redelivery:events`, '-', '+');
  return events.flatMap(([id, fields]) => {
    const event = new Map(fields.map((field, index) => [field, fields[index + 1]]));
    if (event.get('event') !== 'delayed' || !event.get('jobId')?.startsWith(`${user?.id}.`)) return [];
    return [Number(event.get('delay')) - Number(id.split('-')[0])];
  });
}

test('a message that a client does not acknowledge is sent again with growing delays, then the client is closed with 4408, and receives it at the next sign-in', async () => {
  const ada = await fixture.enter(0);
  const bob = await fixture.enter(1, { acknowledge: ({ type }) => type === 'GROUP_DELIVER_REQUEST' });
  const group_id = await createGroup(ada, [bob.sid]);
  await state(bob, group_id);
  await fixture.untilAcknowledged(bob.sid, group_id, { version: 1 });
  const message_id = await sendMessage(ada, group_id, 'are you there?');
  const { code, reason } = closeReasons.notAcknowledged;
  expect(await bob.client.closed).toEqual({ code, reason });
  const came = bob.client.received('MESSAGING_DELIVER_REQUEST').map(({ payload }) => payload.message_id);
  expect(new Set(came)).toEqual(new Set([message_id]));
  // Once when it was sent, and once per attempt; the last one may be overtaken by the end.
  expect(came.length).toBeGreaterThanOrEqual(1 + attemptsMax);
  expect(await counted('overdue_seconds_count')).toBeGreaterThanOrEqual(attemptsMax);
  // The last attempts begin after the planned pauses.
  expect(await counted('overdue_seconds_sum')).toBeGreaterThan(6);
  expect(came.length).toBeLessThanOrEqual(2 + attemptsMax);
  const upTo = (le: string) => counted('redelivery_tries_bucket', { owed: 'messages', le });
  const tries = await Promise.all(['1', '2', '3', '5'].map(upTo));
  // Each in a row was told as such; the last one is beyond those that a user may have.
  for (const [at, count] of tries.entries()) expect(count).toBeGreaterThan(tries[at - 1] ?? 0);
  const pauses = await pausesOf(bob.sid);
  expect(pauses).toHaveLength(attemptsMax);
  expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
  await ada.client.roundTrip();

  const back = await fixture.returning(bob.sid, 1);
  await receiveMessage(back, message_id);
  await fixture.untilAcknowledged(bob.sid, group_id, { seq: 1 });
});

test('a message is sent again until it is acknowledged, and not after that', async () => {
  const ada = await fixture.enter(0);
  let times = 0;
  const bob = await fixture.enter(1, {
    acknowledge({ type }) {
      if (type === 'MESSAGING_DELIVER_REQUEST') times += 1;
      return type === 'GROUP_DELIVER_REQUEST' || times >= 3;
    },
  });
  const group_id = await createGroup(ada, [bob.sid]);
  await state(bob, group_id);
  await fixture.untilAcknowledged(bob.sid, group_id, { version: 1 });
  const ended = await counted('job_runs_total', { queue: 'redelivery', outcome: 'done' });
  await sendMessage(ada, group_id, 'at the third time');
  await fixture.untilAcknowledged(bob.sid, group_id, { seq: 1 });
  await bob.client.roundTrip();
  // More than three only if the third one was acknowledged too late.
  const sent = times;
  expect(sent).toBeGreaterThanOrEqual(3);
  await until('the redelivery has ended', async () => {
    return (await counted('job_runs_total', { queue: 'redelivery', outcome: 'done' })) > ended;
  });
  await until('all is checked', fixture.areDeliveryChecksOver);
  await bob.client.roundTrip();
  expect(times).toBe(sent);
});

test('a client that never acknowledges groups is sent each state a bounded number of times, and is not closed', async () => {
  const ada = await fixture.enter(0);
  const bob = await fixture.enter(1, messagesOnly);
  const givenUp = await counted('states_given_up_total');
  const group_id = await createGroup(ada, [bob.sid]);
  await state(bob, group_id);
  await until('the state is given up', async () => (await counted('states_given_up_total')) > givenUp);
  await receiveMessage(bob, await sendMessage(ada, group_id, 'first'));
  const times = statesOf(bob, group_id).length;
  expect(times).toBeGreaterThan(1);
  expect(times).toBeLessThanOrEqual(2 + attemptsMax);

  // The group goes on, and check after check finds the state unacknowledged; nothing begins again.
  await until('all is checked', fixture.areDeliveryChecksOver);
  const reports = { type: 'OVERDUE_REPORT' };
  const before = [
    await counted('jobs_added_total', { queue: 'redelivery' }),
    await counted('requests_total', reports),
  ];
  for (const content of ['second', 'third', 'fourth']) {
    const checks = await counted('delivery_checks_total', { by: 'job' });
    await receiveMessage(bob, await sendMessage(ada, group_id, content));
    await until(`${content} is checked`, async () => {
      return (
        (await counted('delivery_checks_total', { by: 'job' })) > checks &&
        (await fixture.areDeliveryChecksOver())
      );
    });
  }
  // The last message comes after the last check, on the same channel.
  await receiveMessage(bob, await sendMessage(ada, group_id, 'fence'));
  expect(statesOf(bob, group_id)).toHaveLength(times);
  expect([
    await counted('jobs_added_total', { queue: 'redelivery' }),
    await counted('requests_total', reports),
  ]).toEqual(before);
  await bob.client.roundTrip();
});

test('the mobile client is sent each state a bounded number of times, also while it is added to ever more groups, and is not closed', async () => {
  const ada = await fixture.enter(0);
  const mobile = await fixture.mobile(1);
  const { sid } = mobile;
  const group_id = await createGroup(ada, [sid, uniqueSid()]);
  const timesSent = (id: number) =>
    mobile.frames.filter(({ type, payload }) => type === 'GROUP_DELIVER_REQUEST' && payload.group_id === id)
      .length;
  const isGivenUp = async (id: number) => {
    const rows = await fixture.rows(
      `SELECT FROM group_member m JOIN "user" u ON u.id = m.user_id
       WHERE m.group_id = $1 AND u.sid = $2 AND m.retried_version > 0`,
      [id, sid],
    );
    return rows.length > 0;
  };
  // With every repetition there is one more group of which it owes the acknowledgement.
  const more: number[] = [];
  for (let times = 2; times <= 10 && !(await isGivenUp(group_id)); times += 1) {
    await until('its state is sent again, or given up', async () => {
      return timesSent(group_id) >= times || (await isGivenUp(group_id));
    });
    more.push(await createGroup(ada, [sid, uniqueSid()], `group ${times}`));
  }
  expect(timesSent(group_id)).toBeLessThanOrEqual(2 + attemptsMax);
  for (const id of more) {
    await until(`the state of ${id} is given up`, () => isGivenUp(id));
    expect(timesSent(id)).toBeGreaterThan(1);
    // Once more than the first one: with what was due, before it was due itself.
    expect(timesSent(id)).toBeLessThanOrEqual(3 + attemptsMax);
  }
  const { message_id } = (await mobile.request('MESSAGING_SEND', { group_id, content: 'still here' }))
    .payload;
  await receiveMessage(ada, message_id as number);
  expect(mobile.closes).toEqual([]);
});
