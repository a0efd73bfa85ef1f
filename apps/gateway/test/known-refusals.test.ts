import { readTryAgain } from '@hooligram/protocol';
import { uniqueSid } from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually, Fixture, metric } from './fixture.ts';

let fixture: Fixture;

beforeAll(async () => {
  fixture = await Fixture.start({ LIMITS_ENABLED: 'true' });
});

afterAll(() => fixture?.stop());

test('who goes on creating groups after the core refused it is refused by the gateway, in the words of the core', async () => {
  const { core } = fixture;
  const { client, user } = await fixture.connectAs(fixture.user());
  const asked = () => core.received.filter(({ type }) => type === 'GROUP_CREATE').length;
  const refused = () => client.received('GROUP_CREATE_FAILURE').length;
  const times = 30;
  for (let n = 0; n < times; n += 1) {
    client.send('GROUP_CREATE_REQUEST', { group_name: 'group', member_sids: [user.sid, uniqueSid()] });
  }
  let answered = 0;
  while (refused() < times) {
    await eventually(() => refused() === times || asked() > answered, 'refused, or asked');
    if (asked() === answered) break;
    await (await core.next('GROUP_CREATE')).refuse('too many groups created: try again in 3600 s');
    answered += 1;
  }
  await client.waitFor(() => refused() === times);
  const errors = client
    .received('GROUP_CREATE_FAILURE')
    .map(({ payload }) => readTryAgain(payload.errors?.[0] ?? ''));
  expect(new Set(errors.map(({ text }) => text))).toEqual(new Set(['too many groups created']));
  expect(Math.min(...errors.map(({ seconds }) => seconds ?? 0))).toBeGreaterThan(3_000);
  const byGateway = await metric(fixture.system.gateway(0), 'gateway_limited_total', {
    limit: 'known_refusals',
  });
  expect(byGateway).toBeGreaterThan(0);
  expect(byGateway + answered).toBe(times);
});
