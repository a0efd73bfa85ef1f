import { connect, until } from '@hooligram/testkit';
import { expect, test } from '@jest/globals';
import { beginChat, message, openChat, row, say, setTown, untilRead } from './people.ts';

const town = setTown();

test('two people sign up, and what each of them says reaches the other on another gateway', async () => {
  const [ada, bob] = await Promise.all([town.person(0, '+1 555 0100'), town.person(1, '+1 555 0101')]);
  await beginChat(ada, [bob.number]);
  await say(ada, 'hello across gateways');
  await message(ada.page, 'hello across gateways', 'Stored').waitFor();

  // Bob has not opened it: it is counted, in the list and in the page's title.
  await row(bob.page, ada.number).getByText('1 unread').waitFor();
  await untilRead('the title', () => bob.page.title(), '(1) Hooligram');
  await openChat(bob, ada.number);
  await message(bob.page, 'hello across gateways').waitFor();
  await row(bob.page, ada.number).getByText('unread').waitFor({ state: 'detached' });
  await untilRead('the title', () => bob.page.title(), 'Hooligram');

  await say(bob, 'and back');
  await message(ada.page, 'and back').waitFor();
  await row(ada.page, bob.number).getByText('unread').waitFor({ state: 'detached' });
});

test('a group has its name, takes another person, and is left', async () => {
  const [ada, bob, eve] = await Promise.all([
    town.person(0, '+1 555 0110'),
    town.person(1, '+1 555 0111'),
    town.person(1, '+1 555 0112'),
  ]);
  await beginChat(ada, [bob.number, '+1 555 0113'], 'Sunday hikes');
  await ada.page.getByText('3 people').waitFor();
  await openChat(bob, 'Sunday hikes');
  await bob.page.getByRole('button', { name: 'People' }).click();
  await bob.page.getByLabel('Phone number').fill(eve.number);
  await bob.page.getByRole('button', { name: 'Add', exact: true }).click();
  await row(eve.page, 'Sunday hikes').waitFor();
  await ada.page.getByText('4 people').waitFor();

  await openChat(eve, 'Sunday hikes');
  await eve.page.getByRole('button', { name: 'People' }).click();
  await eve.page.getByRole('button', { name: 'Leave' }).click();
  await eve.page.getByRole('button', { name: 'Leave and remove' }).click();
  await row(eve.page, 'Sunday hikes').waitFor({ state: 'detached' });
  await ada.page.getByText('3 people').waitFor();
});

test('what is wrong with a number or a code is said at its field', async () => {
  const { page } = await town.stranger(0, '');
  await page.getByLabel('Phone number').fill('5550100');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').filter({ hasText: 'country code' }).waitFor();
  const isInvalid = () => page.getByLabel('Phone number').getAttribute('aria-invalid');
  await untilRead('aria-invalid', isInvalid, 'true');
  await page.getByLabel('Phone number').fill('+1 555 0120');
  await page.keyboard.press('Enter');
  await page.getByLabel('Code', { exact: true }).fill('123456');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').filter({ hasText: 'not the right code' }).waitFor();
});

test('after a reload, messages, drafts, names and the sign-in are there; after a sign-out, nothing is', async () => {
  const ada = await town.person(0, '+1 555 0130');
  const { page } = ada;
  await beginChat(ada, ['+1 555 0131']);
  await say(ada, 'kept');
  await message(page, 'kept', 'Stored').waitFor();
  await page.getByRole('button', { name: 'People' }).click();
  await page.getByRole('button', { name: 'Name for +1 555 0131' }).click();
  await page.keyboard.type('Grace');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await page.getByLabel('Message', { exact: true }).fill('half a thou');

  await page.reload();
  await page.getByRole('heading', { name: 'Grace' }).waitFor();
  await message(page, 'kept').waitFor();
  await untilRead('the draft', () => page.getByLabel('Message', { exact: true }).inputValue(), 'half a thou');

  await page.getByRole('button', { name: 'Your account' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Sign out and remove' }).click();
  await page.getByLabel('Phone number').waitFor();
  await page.reload();
  await page.getByLabel('Phone number').waitFor();
  await untilRead('what is stored', () => page.evaluate(() => JSON.stringify(localStorage)), '{}');
});

test('two tabs of one browser show the same, and a sign-out of one is one of both', async () => {
  const [ada, bob] = await Promise.all([town.person(0, '+1 555 0140'), town.person(1, '+1 555 0141')]);
  const second = await ada.context.newPage();
  await second.goto(ada.page.url());
  await ada.page.bringToFront();
  await beginChat(bob, [ada.number]);
  await say(bob, 'to both');
  await row(second, bob.number).getByText('1 unread').waitFor();
  await openChat(ada, bob.number);
  await message(ada.page, 'to both').waitFor();
  await row(second, bob.number).getByText('unread').waitFor({ state: 'detached' });

  await ada.page.getByRole('button', { name: 'Your account' }).click();
  await ada.page.getByRole('button', { name: 'Sign out' }).click();
  await ada.page.getByRole('button', { name: 'Sign out and remove' }).click();
  await second.getByLabel('Phone number').waitFor();
});

test('a long conversation is shown from its end, and read upwards without losing the place', async () => {
  const ada = await town.person(0, '+1 555 0150');
  const writer = await connect(town.system.url);
  await writer.signIn('1.5550151');
  const { payload } = await writer.requestOk('GROUP_CREATE_REQUEST', {
    group_name: '',
    member_sids: ['1.5550150', '1.5550151'],
  });
  const send = (content: string) =>
    writer.requestOk('MESSAGING_SEND_REQUEST', { group_id: payload.group_id, content });
  await Promise.all(Array.from({ length: 250 }, (_, index) => send(`line ${index + 1};`)));
  await row(ada.page, '+1 555 0151').getByText('250 unread').waitFor();
  await ada.page.reload();
  await openChat(ada, '+1 555 0151');
  await message(ada.page, 'line 250;').waitFor();
  expect(await message(ada.page, 'line 100;').count()).toBe(0);

  await ada.page.getByRole('region', { name: 'Messages', exact: true }).focus();
  const first = message(ada.page, 'line 151;');
  await ada.page.keyboard.press('Home');
  await message(ada.page, 'line 60;').waitFor();
  // What was in sight still is.
  await until(
    'it is in sight',
    () => first.evaluate((line) => line.getBoundingClientRect().top),
    (top) => top > 0,
  );
  await send('meanwhile');
  await message(ada.page, 'meanwhile').waitFor();
  await ada.page.getByRole('button', { name: 'To the newest message' }).click();
  await ada.page.getByRole('button', { name: 'To the newest message' }).waitFor({ state: 'detached' });
  await writer.close();
});
