import { expect, test } from '@jest/globals';
import type { WebSocketRoute } from 'playwright-core';
import {
  beginChat,
  message,
  openChat,
  row,
  startWebSystem,
  type User,
  untilKept,
  untilRead,
  write,
} from './users.ts';

const system = startWebSystem({ gatewayEnv: { CURSOR_FLUSH_MS: '50' } });

/** Ada and Bob on two gateways, both with their chat open. */
async function pair(tail: string): Promise<{ ada: User; bob: User }> {
  const [ada, bob] = await Promise.all([
    system.user(0, `+1 555 02${tail}0`),
    system.user(1, `+1 555 02${tail}1`),
  ]);
  await beginChat(ada, [bob.number]);
  await openChat(bob, ada.number);
  return { ada, bob };
}

async function disconnect({ context, proxy, page }: User): Promise<void> {
  proxy.cut();
  await context.setOffline(true);
  await page.getByText('You are offline').waitFor();
}

async function reconnect({ context, proxy, page }: User): Promise<void> {
  proxy.mend();
  await context.setOffline(false);
  await page.getByText('You are offline').waitFor({ state: 'detached' });
}

test('who was offline gets what was said meanwhile, and what they wrote leaves', async () => {
  const { ada, bob } = await pair('1');
  await disconnect(bob);
  await write(ada, 'are you there?');
  await message(ada.page, 'are you there?', 'Stored').waitFor();
  await write(bob, 'first');
  await write(bob, 'second');
  await message(bob.page, 'second', 'Sending').waitFor();
  expect(await message(ada.page, 'second').count()).toBe(0);

  await reconnect(bob);
  await message(bob.page, 'are you there?').waitFor();
  await message(bob.page, 'second', 'Stored').waitFor();
  await message(ada.page, 'second').waitFor();
  const said = JSON.stringify(['are you there?', 'first', 'second']);
  for (const { page } of [ada, bob]) {
    const shown = async () => JSON.stringify(await message(page, '').locator('p').allTextContents());
    await untilRead('the messages', shown, said);
  }
});

test('what was written offline outlives the page', async () => {
  const { ada, bob } = await pair('2');
  bob.proxy.cut();
  await write(bob, 'written before the reload');
  await message(bob.page, 'written before the reload', 'Sending').waitFor();
  await untilKept(bob, 'written before the reload');
  await bob.page.clock.install();
  await bob.page.reload();
  await message(bob.page, 'written before the reload', 'Sending').waitFor();
  await bob.page.getByText('No connection.').waitFor();
  // The time of the page stands still, so that it is the button that brings the connection back.
  await bob.page.clock.pauseAt(Date.now() + 10_000);
  await bob.page.getByText('Next try in').waitFor();
  bob.proxy.mend();
  await bob.page.getByRole('button', { name: 'Try now' }).click();
  await bob.page.getByText('No connection.').waitFor({ state: 'detached' });
  await bob.page.clock.resume();
  await message(bob.page, 'written before the reload', 'Stored').waitFor();
  await message(ada.page, 'written before the reload').waitFor();
});

test('what is written on a connection that died unnoticed is not lost, and the page soon says that there is none', async () => {
  const { ada, bob } = await pair('5');
  bob.proxy.lose();
  await write(bob, 'is anybody there?');
  await message(bob.page, 'is anybody there?', 'Sending').waitFor();
  // As when somebody comes back to the page, on another network.
  await bob.page.evaluate(() => dispatchEvent(new Event('focus')));
  await bob.page.getByText('No connection.').waitFor();
  bob.proxy.mend();
  await message(bob.page, 'is anybody there?', 'Stored').waitFor();
  await message(ada.page, 'is anybody there?').waitFor();
  await bob.page.getByText('No connection.').waitFor({ state: 'detached' });
});

test('a message that the server refuses says why, and is discarded by its writer', async () => {
  const { ada, bob } = await pair('3');
  await disconnect(bob);
  await write(bob, 'too late');
  await ada.page.getByRole('button', { name: 'People' }).click();
  await ada.page.getByRole('button', { name: 'Leave' }).click();
  await ada.page.getByRole('button', { name: 'Leave and remove' }).click();
  await row(ada.page, bob.number).waitFor({ state: 'detached' });

  await reconnect(bob);
  await bob.page.getByText('Refused: group is closed.').waitFor();
  await bob.page.getByText('This chat is over').waitFor();
  // As refused, and no longer as one to be sent.
  await untilKept(bob, 'group is closed', 'MESSAGING_SEND_REQUEST');
  await bob.page.reload();
  await bob.page.getByText('Refused: group is closed.').waitFor();
  await bob.page.getByRole('button', { name: 'Discard' }).click();
  await message(bob.page, 'too late').waitFor({ state: 'detached' });
});

test('a tab that was away shows what another one of the same user was sent meanwhile', async () => {
  const [ada, bob] = await Promise.all([system.user(0, '+1 555 0260'), system.user(1, '+1 555 0261')]);
  const connections: WebSocketRoute[] = [];
  let isAway = false;
  const second = await bob.context.newPage();
  await second.routeWebSocket(/\/v2$/, (connection) => {
    if (isAway) return void connection.close();
    connection.connectToServer();
    connections.push(connection);
  });
  await second.goto(bob.page.url());
  await beginChat(ada, [bob.number]);
  await write(ada, 'to both tabs');
  await openChat({ ...bob, page: second }, ada.number);
  await message(second, 'to both tabs').waitFor();

  isAway = true;
  await Promise.all(connections.map((connection) => connection.close()));
  await second.getByText('No connection.').waitFor();
  await write(ada, 'to one of them');
  // It is still away: this one comes from the other tab.
  await message(second, 'to one of them').waitFor();
  await beginChat(ada, [bob.number, '+1 555 0262'], 'begun meanwhile');
  await ada.page.getByRole('heading', { name: 'begun meanwhile' }).waitFor();
  await write(ada, 'in a group that it does not know');
  await openChat({ ...bob, page: second }, 'begun meanwhile');
  await message(second, 'in a group that it does not know').waitFor();
  await second.getByText('No connection.').waitFor();

  isAway = false;
  await second.getByText('No connection.').waitFor({ state: 'detached' });
  await write(ada, 'to both again');
  await message(second, 'to both again').waitFor();
  const shown = async () => JSON.stringify(await message(second, '').locator('p').allTextContents());
  const said = JSON.stringify(['in a group that it does not know', 'to both again']);
  await untilRead('the messages', shown, said);
});

test('when a gateway is killed under one of them, the chat goes on over the other', async () => {
  const { ada, bob } = await pair('4');
  await write(ada, 'before');
  await message(bob.page, 'before').waitFor();
  await system.stack.gateway(1).kill();
  await write(ada, 'while it was dead');
  await write(bob, 'still here');
  await message(bob.page, 'while it was dead').waitFor();
  await message(bob.page, 'still here', 'Stored').waitFor();
  await message(ada.page, 'still here').waitFor();
  await untilRead('how often it is there', () => message(bob.page, 'before').count(), 1);
});
