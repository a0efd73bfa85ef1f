import { metrics } from '@hooligram/testkit';
import { expect, test } from '@jest/globals';
import { contents, createGroup, startFixture, state, until } from './fixture.ts';

const people = 10;
const messages = 1_000;
/** So many that a busy machine, too, acknowledges them in time. */
const messagesAtOnce = 100;

const fixture = startFixture({ gateways: 2, cores: 2, env: { DELIVERY_ACK_DEADLINE_MS: '10000' } });

async function counted(name: string, labels: Record<string, string> = {}): Promise<number> {
  const all = await Promise.all(fixture.system.cores.map(({ adminUrl }) => metrics(adminUrl)));
  return all.reduce((sum, { value }) => sum + value(`hooligram_core_${name}`, labels), 0);
}

test('10,000 acknowledged deliveries in one group, over real gateways, cost fewer than 20 jobs', async () => {
  const members = await Promise.all(Array.from({ length: people }, (_, index) => fixture.enter(index % 2)));
  const [ada] = members;
  if (!ada) throw new Error('nobody is there');
  const group_id = await createGroup(
    ada,
    members.slice(1).map(({ sid }) => sid),
  );
  for (const member of members) await state(member, group_id);
  for (let sent = 0; sent < messages; ) {
    for (const end = sent + messagesAtOnce; sent < end; sent += 1) {
      ada.client.send('MESSAGING_SEND_REQUEST', { group_id, content: `message ${sent}` });
    }
    for (const { sid } of members) await fixture.untilAcknowledged(sid, group_id, { seq: sent, version: 1 });
  }
  for (const member of members) expect(contents(member, group_id)).toHaveLength(messages);
  await until('the last delivery check is over', async () => {
    return (
      (await fixture.areDeliveryChecksOver()) && (await counted('delivery_checks_total', { by: 'job' })) > 0
    );
  });
  const added = await counted('jobs_added_total');
  const runs = await counted('job_runs_total');
  process.stderr.write(`10,000 deliveries over real gateways: ${added} jobs added, ${runs} runs of jobs\n`);
  expect(added).toBeLessThan(20);
  expect(runs).toBeLessThan(20);
  expect(await counted('jobs_added_total', { queue: 'redelivery' })).toBe(0);
});
