import { connect, until } from '@hooligram/testkit';
import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { startStranger } from './proxy.ts';
import {
  beginChat,
  message,
  openChat,
  row,
  signIn,
  startWebSystem,
  type User,
  untilRead,
  write,
} from './users.ts';

const system = startWebSystem();

/** Of 255: the ink of a mark is farther from what it is drawn upon, the same edge drawn twice is not. */
const aMarksContrast = 8;

/** How far apart the colours of two pictures of one size (PNG) are, at the pixel and channel where it is most: 0 to 255. */
function farthestColours(page: Page, ...pictures: readonly [Buffer, Buffer]): Promise<number> {
  return page.evaluate(
    async (encoded) => {
      const [one, other] = await Promise.all(
        encoded.map(async (base64) => {
          const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
          const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
          const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
          context?.drawImage(bitmap, 0, 0);
          return context?.getImageData(0, 0, bitmap.width, bitmap.height).data;
        }),
      );
      if (!one || one.length !== other?.length) throw new Error('not of one size');
      return one.reduce((most, colour, at) => Math.max(most, Math.abs(colour - (other[at] ?? 0))), 0);
    },
    pictures.map((picture) => picture.toString('base64')),
  );
}

/** Leaves the open chat, by the buttons of its dialog. */
async function leave({ page }: User, label = 'Leave', answer = 'Leave and remove'): Promise<void> {
  await page.getByRole('button', { name: 'People' }).click();
  await page.getByRole('button', { name: label, exact: true }).click();
  await page.getByRole('button', { name: answer }).click();
}

test('two people sign up, and what each of them says reaches the other on another gateway', async () => {
  const [ada, bob] = await Promise.all([system.user(0, '+1 555 0100'), system.user(1, '+1 555 0101')]);
  await beginChat(ada, [bob.number]);
  await write(ada, 'hello across gateways');
  await message(ada.page, 'hello across gateways', 'Stored').waitFor();

  // Bob has not opened it: it is counted, in the list and in the page's title.
  await row(bob.page, ada.number).getByText('1 unread').waitFor();
  await untilRead('the title', () => bob.page.title(), '(1) Hooligram');
  await openChat(bob, ada.number);
  await message(bob.page, 'hello across gateways').waitFor();
  await row(bob.page, ada.number).getByText('unread').waitFor({ state: 'detached' });
  await untilRead('the title', () => bob.page.title(), 'Hooligram');

  await write(bob, 'and back');
  await message(ada.page, 'and back').waitFor();
  await row(ada.page, bob.number).getByText('unread').waitFor({ state: 'detached' });
});

test('a group has its name, takes another member, and is left', async () => {
  const [ada, bob, eve] = await Promise.all([
    system.user(0, '+1 555 0110'),
    system.user(1, '+1 555 0111'),
    system.user(1, '+1 555 0112'),
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
  await leave(eve);
  await row(eve.page, 'Sunday hikes').waitFor({ state: 'detached' });
  await ada.page.getByText('3 people').waitFor();
});

test('what is wrong with a number or a code is said at its field', async () => {
  const { page } = await system.newUser(0, '');
  await page.getByLabel('Phone number').fill('+0 123');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').filter({ hasText: 'No country has the code' }).waitFor();
  const isInvalid = () => page.getByLabel('Phone number').getAttribute('aria-invalid');
  await untilRead('aria-invalid', isInvalid, 'true');
  await page.getByLabel('Phone number').fill('+1 555 0120');
  await page.keyboard.press('Enter');
  await page.getByLabel('Code', { exact: true }).fill('123456');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').filter({ hasText: 'not the right code' }).waitFor();
});

test('what will be dialled is shown before it is, whatever the number was pasted as, and the code too', async () => {
  const { page } = await system.newUser(0, '');
  const number = page.getByLabel('Phone number');
  // The browser speaks British English.
  expect(await page.getByLabel('Country').inputValue()).toBe('GB');
  await number.fill('07700 900160');
  await page.getByText('Dials +44 7700 900160 (United Kingdom).').waitFor();
  await page.getByLabel('Country').selectOption('US');
  await number.fill('555.0160');
  await page.getByText('Dials +1 555 0160. That is shorter than numbers with the code 1 are.').waitFor();
  await number.fill('\u202a+٤٤\u00a0(0)7700\u2011900160\u202c');
  await page.getByText('Dials +44 7700 900160 (United Kingdom).').waitFor();
  await page.keyboard.press('Enter');
  await page.getByText('A code is on its way to +44 7700 900160.').waitFor();
  await page.getByLabel('Code', { exact: true }).fill('\u200e٠٠٠-000 ');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Your account' }).click();
  await page.getByText('Signed in as +44 7700 900160.').waitFor();
  await page.keyboard.press('Escape');

  await page.getByRole('button', { name: 'New chat' }).click();
  expect(await page.getByLabel('Country').inputValue()).toBe('GB');
  await number.fill('(07700) 900161');
  await page.getByText('Dials +44 7700 900161 (United Kingdom).').waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Take +44 7700 900161 out' }).waitFor();
  await number.fill('tel:+1-202-555-0160;ext=9');
  await page.getByText('Dials +1 202 555 0160 (United States). The extension 9 is left out.').waitFor();
  await page.keyboard.press('Enter');

  const name = page.getByLabel('Name of the group');
  await name.fill('\u3164\u200b \u2800');
  await page.keyboard.press('Enter');
  await page.getByText('A group needs a name that can be seen.').waitFor();
  await name.fill('😀'.repeat(101));
  await page.getByText('That is 1 character too long.').waitFor();
  await name.fill(`\u202e${'😀'.repeat(100)} `);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: '😀'.repeat(100), exact: true }).waitFor();
});

test('a text that is too long stays where it is, and Enter sends nothing while a character is composed', async () => {
  const ada = await system.user(0, '+1 555 0170');
  const { page } = ada;
  await beginChat(ada, ['+1 555 0171']);
  const box = page.getByLabel('Message', { exact: true });
  const long = `${'x'.repeat(65_000)}${'🥾'.repeat(200)}`;
  await box.fill(long);
  await page.getByText(/^Too long for one message: take away \d+ characters\.$/).waitFor();
  await page.keyboard.press('Enter');
  expect(await page.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true);
  await page.reload();
  const remark = await page.getByText('Too long for one message').textContent();
  const [, count] = /take away (\d+) /.exec(remark ?? '') ?? [];
  expect(await box.inputValue()).toBe(long);
  // Exactly so many: with one more it would not fit.
  const fits = [...long].slice(0, -Number(count)).join('');
  await box.fill(`${fits}🥾`);
  await page.getByText('take away 1 character.').waitFor();
  await box.fill(fits);
  await page.keyboard.press('Enter');
  await message(page, fits, 'Stored').waitFor();

  // What input methods make of Enter while they compose a character, and Safari's after it has ended that.
  await box.fill('日本');
  for (const key of [{ isComposing: true }, { keyCode: 229 }]) {
    await box.evaluate((element, init) => {
      element.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, ...init }));
    }, key);
  }
  expect(await box.inputValue()).toBe('日本');
  await page.keyboard.press('Enter');
  await message(page, '日本', 'Stored').waitFor();
  expect(await message(page, '').locator('p').count()).toBe(2);
});

test('after a reload, messages, drafts, names and the sign-in are there; after a sign-out, nothing is', async () => {
  const ada = await system.user(0, '+1 555 0130');
  const { page } = ada;
  await beginChat(ada, ['+1 555 0131']);
  await write(ada, 'kept');
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

test("a link to a server that is not the page's own leads nobody there, and says so", async () => {
  const { page } = await system.newUser(0, '+1 555 0142');
  await page.getByLabel('Phone number').waitFor();
  const stranger = await startStranger();
  const reach = (url: string) =>
    page.evaluate(
      (address) =>
        new Promise((resolve) => {
          addEventListener('securitypolicyviolation', ({ effectiveDirective }) =>
            resolve(effectiveDirective),
          );
          new WebSocket(address).onopen = () => resolve('open');
        }),
      url,
    );
  expect(await reach(stranger.url)).toBe('connect-src');

  await page.goto(`${system.pageUrl}?url=${encodeURIComponent(stranger.url)}`);
  await page.getByRole('heading', { name: 'This link leads to another server' }).waitFor();
  expect(await page.getByRole('alert').textContent()).toContain(stranger.url);
  await page.getByRole('link', { name: 'Go to this page’s own server' }).click();
  await page.getByLabel('Phone number').waitFor();
  expect(stranger.connections()).toBe(0);
  stranger.end();
});

test('two tabs of one browser show the same, and a sign-out of one is one of both', async () => {
  const [ada, bob] = await Promise.all([system.user(0, '+1 555 0140'), system.user(1, '+1 555 0141')]);
  const second = await ada.context.newPage();
  await second.goto(ada.page.url());
  await ada.page.bringToFront();
  await beginChat(bob, [ada.number]);
  await write(bob, 'to both');
  await row(second, bob.number).getByText('1 unread').waitFor();
  await openChat(ada, bob.number);
  await message(ada.page, 'to both').waitFor();
  await row(second, bob.number).getByText('unread').waitFor({ state: 'detached' });
  // What is read as it comes is read in the other tab, too, whichever of the two has it first.
  await write(bob, 'and once more');
  await message(ada.page, 'and once more').waitFor();
  await row(second, bob.number).getByText('and once more').waitFor();
  await row(second, bob.number).getByText('unread').waitFor({ state: 'detached' });

  await ada.page.getByRole('button', { name: 'Your account' }).click();
  await ada.page.getByRole('button', { name: 'Sign out' }).click();
  await ada.page.getByRole('button', { name: 'Sign out and remove' }).click();
  await second.getByLabel('Phone number').waitFor();
});

test('a chat that is left, or is over and removed, in one tab goes from the others, and is there again when its user is added again', async () => {
  const [ada, bob] = await Promise.all([system.user(0, '+1 555 0180'), system.user(1, '+1 555 0181')]);
  const second = { ...bob, page: await bob.context.newPage() };
  await second.page.goto(bob.page.url());
  await beginChat(ada, [bob.number, '+1 555 0182'], 'Sunday hikes');
  await openChat(second, 'Sunday hikes');
  await openChat(bob, 'Sunday hikes');
  await leave(bob);
  await second.page.getByText('Choose a chat, or begin a new one.').waitFor();
  await row(second.page, 'Sunday hikes').waitFor({ state: 'detached' });

  await ada.page.getByRole('button', { name: 'People' }).click();
  await ada.page.getByLabel('Phone number').fill(bob.number);
  await ada.page.getByRole('button', { name: 'Add', exact: true }).click();
  for (const { page } of [bob, second]) await row(page, 'Sunday hikes').waitFor();
  // It is not opened by itself where it was open.
  await second.page.getByText('Choose a chat, or begin a new one.').waitFor();
  await ada.page.keyboard.press('Escape');

  await beginChat(ada, [bob.number]);
  for (const tab of [bob, second]) await openChat(tab, ada.number);
  await leave(ada);
  for (const { page } of [bob, second]) await page.getByText('This chat is over').waitFor();
  await leave(bob, 'Remove this chat', 'Remove it');
  await row(second.page, ada.number).waitFor({ state: 'detached' });
  await row(second.page, 'Sunday hikes').waitFor();
});

test('a session that ended because its number was verified again elsewhere says so, and the number can be verified here again', async () => {
  const ada = await system.user(0, '+1 555 0145');
  const elsewhere = await connect(system.stack.url);
  await elsewhere.signIn('1.5550145');
  const { page } = ada;
  const ended = 'This session has ended: your number was verified again somewhere else.';
  await page.getByRole('status').filter({ hasText: ended }).waitFor();
  expect(await page.getByLabel('Phone number').inputValue()).toBe(ada.number);
  await signIn(ada);
  expect(await elsewhere.closed).toMatchObject({ code: 4401 });
});

test('a name as long as it may be, without a space, covers nothing', async () => {
  const ada = await system.user(0, '+1 555 0160');
  const name = 'W'.repeat(100);
  await beginChat(ada, ['+1 555 0161', '+1 555 0162'], name);
  await ada.page.getByRole('heading', { name }).waitFor();
  const widths = (selector: string) =>
    ada.page.locator(selector).evaluate(({ scrollWidth, clientWidth }) => [scrollWidth, clientWidth]);
  const [wide, room] = await widths('.pane');
  expect(wide).toBe(room);
  await ada.page.getByRole('button', { name: 'People' }).click();
  await ada.page.getByRole('dialog', { name }).waitFor();
  const [wideDialog, roomOfDialog] = await widths('dialog');
  expect(wideDialog).toBe(roomOfDialog);
});

test('marks that are heaped upon a letter, and hang from it, are drawn nowhere but in its message', async () => {
  const ada = await system.user(0, '+1 555 0165');
  await beginChat(ada, ['+1 555 0166']);
  await write(ada, ['\u0301', '\u0323'].map((mark) => `a${mark.repeat(200)}`).join(''));
  const bubble = message(ada.page, 'a', 'Stored').locator('.bubble');
  await bubble.waitFor();
  const messages = ada.page.getByRole('region', { name: 'Messages', exact: true });
  const drawnAround = () => messages.screenshot({ mask: [bubble] });
  // Not every font heaps marks. A shadow is drawn outside of its line too, with any font.
  await bubble.locator('p').evaluate(({ style }) => {
    style.textShadow = '0 -4rem red, 0 -2rem red, 0 2rem red, 0 4rem red';
  });
  const withMarks = await drawnAround();
  await bubble.locator('p').evaluate(({ style }) => {
    style.visibility = 'hidden';
  });
  expect(await farthestColours(ada.page, withMarks, await drawnAround())).toBeLessThan(aMarksContrast);
});

test('why somebody was not added is said where it can be read, in front of the dialog, and closed there', async () => {
  const ada = await system.user(0, '+1 555 0170');
  await beginChat(ada, ['+1 555 0171', '+1 555 0172'], 'three');
  await ada.page.getByRole('heading', { name: 'three' }).waitFor();
  await ada.page.getByRole('button', { name: 'People' }).click();
  const dialog = ada.page.getByRole('dialog', { name: 'three' });
  await dialog.getByLabel('Phone number').fill('+1 555 0179');
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  const notice = dialog.getByText('Nobody was added: nobody with this number has signed up yet');
  await notice.waitFor();
  await dialog.getByRole('button', { name: 'Close the notice' }).click();
  await notice.waitFor({ state: 'detached' });
  await dialog.getByRole('button', { name: 'Close', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
});

test('a long conversation is shown from its end, and read upwards without losing the place', async () => {
  const ada = await system.user(0, '+1 555 0150');
  const writer = await connect(system.stack.url);
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
