import { metrics, until } from '@hooligram/testkit';
import { expect, test } from '@jest/globals';
import { contents, createGroup, nothing, sendMessage, sendTo, startFixture, state } from './fixture.ts';

const fixture = startFixture({
  gateways: 1,
  cores: 2,
  env: { DELIVERY_ACK_DEADLINE_MS: '1000' },
  gatewayEnv: { CURSOR_FLUSH_MS: '10' },
  coreEnv: { UPKEEP_EVERY_MS: '50', RETENTION_DAYS: '7', UNDELIVERED_DAYS: '30' },
});

const age = (group_id: number, days: number) =>
  fixture.rows(
    `UPDATE message SET date_created = date_created - $2 * INTERVAL '1 day' WHERE group_id = $1 RETURNING id`,
    [group_id, days],
  );

const stored = async (group_id: number) =>
  (
    await fixture.rows<{ content: string }>('SELECT content FROM message WHERE group_id = $1 ORDER BY seq', [
      group_id,
    ])
  ).map(({ content }) => content);

async function counted(name: string, labels?: Record<string, string>): Promise<number> {
  const all = await Promise.all(fixture.system.cores.map(({ adminUrl }) => metrics(adminUrl)));
  return all.reduce((sum, { value }) => sum + value(name, labels), 0);
}

test('old messages go once everybody has them; what somebody lacks waits for them, and goes in the end', async () => {
  const [ada, bob] = [await fixture.enter(0), await fixture.enter(0)];
  const group_id = await createGroup(ada, [bob.sid]);
  await sendTo(bob, ada, group_id, 'one');
  await fixture.untilAcknowledged(bob.sid, group_id, { seq: 1 });
  bob.client.terminate();
  await bob.client.closed;
  await sendMessage(ada, group_id, 'two');
  await sendMessage(ada, group_id, 'three');
  await fixture.untilAcknowledged(ada.sid, group_id, { seq: 3 });
  expect(await age(group_id, 8)).toHaveLength(3);
  await until('what both have is gone', async () => (await stored(group_id)).join() === 'two,three');

  // A connection that was sent what then expires, and another one that comes after that.
  const slow = await fixture.returning(bob.sid, 0, nothing);
  await slow.client.waitFor(() => contents(slow).length === 2);
  await age(group_id, 23);
  await until('what bob lacks is gone too', async () => (await stored(group_id)).length === 0);
  const back = await fixture.returning(bob.sid, 0);
  await state(back, group_id);
  await sendTo(back, ada, group_id, 'four');
  expect(contents(back, group_id)).toEqual(['four']);
  await fixture.untilAcknowledged(bob.sid, group_id, { seq: 4 });

  // A core counts when it has the answer, which may be a moment after the commit.
  await until('all of them are counted', async () => {
    const deleted = await counted('hooligram_core_upkeep_deleted_total', { what: 'messages' });
    return deleted === 3 && (await counted('hooligram_core_deliveries_expired_total')) === 2;
  });
});
