import { expect, test } from '@jest/globals';
import { contents, createGroup, nothing, sendMessage, startFixture, state } from './fixture.ts';

const fixture = startFixture({
  gateways: 2,
  cores: 1,
  env: { DELIVERY_ACK_DEADLINE_MS: '3000' },
  gatewayEnv: { CURSOR_FLUSH_MS: '10', REPLAY_WINDOW: '8' },
});

test('a device that acknowledges nothing gets everything while another one, on another gateway, acknowledges', async () => {
  const ada = await fixture.enter(0);
  const phone = await fixture.enter(0, nothing);
  const group_id = await createGroup(ada, [phone.sid]);
  await state(phone, group_id);
  phone.client.send('GROUP_DELIVER_SUCCESS', { group_id });
  const texts = Array.from({ length: 40 }, (_, index) => `${index}`);
  const ids = await Promise.all(texts.slice(0, 20).map((text) => sendMessage(ada, group_id, text)));

  const laptop = await fixture.returning(phone.sid, 1, nothing);
  await laptop.client.waitFor(() => contents(laptop).length === 8);
  for (const message_id of ids) phone.client.send('MESSAGING_DELIVER_SUCCESS', { message_id });
  await fixture.untilAcknowledged(phone.sid, group_id, { seq: 20 });

  for (const text of texts.slice(20)) {
    const message_id = await sendMessage(ada, group_id, text);
    phone.client.send('MESSAGING_DELIVER_SUCCESS', { message_id });
  }
  await laptop.client.waitFor(() => contents(laptop).length === texts.length);
  expect(contents(laptop)).toEqual(texts);
  await laptop.client.roundTrip();
});
