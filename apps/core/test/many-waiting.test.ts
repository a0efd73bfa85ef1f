import { metrics, type TestClient } from '@hooligram/testkit';
import { expect, test } from '@jest/globals';
import { createGroup, nothing, startFixture, state } from './fixture.ts';

const waiting = 100_000;
const windowSize = 256;
const residentMaxBytes = 64 * 1_024 * 1_024;

// Nothing is due while it runs, so nothing is sent twice.
const fixture = startFixture({ gateways: 2, cores: 1, env: { DELIVERY_ACK_DEADLINE_MS: '600000' } });

async function residentBytes(gateway: number): Promise<number> {
  return (await metrics(fixture.system.gateway(gateway).adminUrl)).value('process_resident_memory_bytes');
}

/** A busy machine takes its time for each portion. */
async function untilAllCame(client: TestClient): Promise<void> {
  for (let portion = 1; portion <= 20; portion += 1) {
    await client.waitFor((frames) => frames.length >= (portion * waiting) / 20);
  }
  await client.waitFor((frames) => frames.at(-1)?.payload.content === `message ${waiting}`);
}

test('100,000 waiting messages flood neither a client that does not acknowledge nor the gateway, and reach one that does in order', async () => {
  const [ada, bob] = [await fixture.enter(0), await fixture.enter(0)];
  const group_id = await createGroup(ada, [bob.sid]);
  await state(bob, group_id);
  bob.client.terminate();
  await fixture.rows(
    `WITH raised AS (UPDATE "group" SET last_seq = $2 WHERE id = $1)
     INSERT INTO message (id, group_id, seq, sender_id, request_id, content, date_created)
     SELECT nextval('message_id_seq'), $1, seq, (SELECT id FROM "user" WHERE sid = $3), gen_random_uuid(),
       'message ' || seq, now()
     FROM generate_series(1, $2::bigint) seq`,
    [group_id, waiting, ada.sid],
  );

  // Acknowledges nothing: what waits for it stays where it is.
  const before = await residentBytes(1);
  const silent = await fixture.connect(1, nothing);
  const sent = () => silent.received('MESSAGING_DELIVER_REQUEST').length;
  await silent.authorize(bob.sid);
  await silent.waitFor(() => sent() === windowSize);
  for (let times = 0; times < 50; times += 1) await silent.roundTrip();
  expect(sent()).toBe(windowSize);

  // Acknowledges as it reads, on another connection of the same person: both are sent all of it.
  const reading = await fixture.connect(1, {
    acknowledge: ({ type }) => type === 'MESSAGING_DELIVER_REQUEST',
  });
  await reading.authorize(bob.sid);
  await untilAllCame(reading);
  const contents = reading.received('MESSAGING_DELIVER_REQUEST').map(({ payload }) => payload.content);
  expect(contents).toHaveLength(waiting);
  expect(contents.every((content, index) => content === `message ${index + 1}`)).toBe(true);
  await untilAllCame(silent);
  expect((await residentBytes(1)) - before).toBeLessThan(residentMaxBytes);
  await fixture.untilAcknowledged(bob.sid, group_id, { seq: waiting });
});
