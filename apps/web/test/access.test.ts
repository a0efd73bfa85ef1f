import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import axe from 'axe-core';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { openSampleChats } from './sample-chats.ts';
import { message, row, startWebSystem, untilRead } from './users.ts';

const system = startWebSystem();
const documented = fileURLToPath(new URL('../../../docs/screenshots/', import.meta.url));

const inDocs = new Set(['desktop-light', 'desktop-dark', 'phone-light']);

const sizes = {
  desktop: { viewport: { width: 1180, height: 760 } },
  phone: { viewport: { width: 390, height: 780 }, deviceScaleFactor: 1.5, isMobile: true, hasTouch: true },
} satisfies Record<string, BrowserContextOptions>;

/** @returns what axe-core finds, as lines for people. Of what differs in the dark, only contrast is its business. */
async function faults(page: Page, colorScheme: 'light' | 'dark'): Promise<string[]> {
  await page.emulateMedia({ colorScheme });
  if (colorScheme === 'light') await page.evaluate(axe.source);
  return page.evaluate(
    async (options) => {
      const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run(options);
      return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
    },
    colorScheme === 'light' ? {} : { runOnly: ['color-contrast'] },
  );
}

/** Whether anything sticks out to the side. */
function isWiderThanScreen(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
}

/** With UPDATE_SCREENSHOTS=1 those of the documentation; with the name of a folder, all of them there. */
async function picture(page: Page, name: string): Promise<void> {
  const { UPDATE_SCREENSHOTS: wish } = process.env;
  if (!wish || (wish === '1' && !inDocs.has(name))) return;
  await page.screenshot({ path: join(wish === '1' ? documented : wish, `${name}.png`) });
}

/** Everything that somebody may see, in light, in dark and, on a phone, on the narrowest one. */
async function lookAround(page: Page, size: string): Promise<string[]> {
  const found: string[] = [];
  const look = async (what: string) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      found.push(...(await faults(page, colorScheme)).map((fault) => `${what}, ${colorScheme}: ${fault}`));
      await picture(page, `${size}-${colorScheme}${what}`);
    }
    const { viewport } = sizes.phone;
    if (size === 'phone') await page.setViewportSize({ width: 320, height: 568 });
    if (await isWiderThanScreen(page)) found.push(`${what}: wider than the screen`);
    await picture(page, `narrow-${size}${what}`);
    if (size === 'phone') await page.setViewportSize(viewport);
  };
  await look('');
  await page.getByRole('button', { name: 'People' }).click();
  await look('-people');
  await page.keyboard.press('Escape');
  if (size === 'phone') await page.getByRole('link', { name: 'All chats' }).click();
  await page.getByRole('button', { name: 'New chat' }).click();
  await look('-new');
  await page.keyboard.press('Escape');
  await page.context().setOffline(true);
  await page.getByText('You are offline').waitFor();
  await look('-list');
  return found;
}

test.each(['desktop', 'phone'] as const)(
  'on a %s, in light and in dark, axe-core finds nothing, and nothing sticks out',
  async (size) => {
    const { page } = await openSampleChats(system, sizes[size]);
    expect(await lookAround(page, size)).toEqual([]);
  },
);

test('the sign-in, in light and in dark, has no faults that axe-core knows', async () => {
  const { page } = await system.newUser(0, '', sizes.desktop);
  await page.getByLabel('Phone number').waitFor();
  for (const colorScheme of ['light', 'dark'] as const) {
    expect(await faults(page, colorScheme)).toEqual([]);
    await picture(page, `sign-in-${colorScheme}`);
  }
});

/** What has the focus: its accessible name, or its text. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const { activeElement } = document;
    const label =
      activeElement instanceof HTMLInputElement ? activeElement.labels?.[0]?.textContent : undefined;
    return label ?? activeElement?.getAttribute('aria-label') ?? activeElement?.textContent ?? '';
  });
}

/** Presses Tab until something has the focus, as somebody without a mouse does. */
async function tabTo(page: Page, name: string): Promise<void> {
  const passed: string[] = [];
  for (let presses = 0; presses < 30; presses += 1) {
    const found = await focused(page);
    if (found === name) return;
    passed.push(found);
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not lead to ${name}, but to ${passed.join(', ')}`);
}

test('with the keyboard alone somebody signs in, begins a chat, writes, and finds the way back', async () => {
  const other = await system.user(1, '+1 555 0301');
  const { page } = await system.newUser(0, '');
  const { keyboard } = page;
  await page.getByLabel('Phone number').waitFor();
  await untilRead('the focus', () => focused(page), 'Phone number');
  await keyboard.type('+1 555 0300');
  await keyboard.press('Enter');
  await page.getByLabel('Code', { exact: true }).waitFor();
  await untilRead('the focus', () => focused(page), 'Code');
  await keyboard.type('000000');
  await keyboard.press('Enter');
  await page.getByRole('navigation', { name: 'Chats' }).waitFor();

  await tabTo(page, 'New chat');
  await keyboard.press('Enter');
  await tabTo(page, 'Phone number');
  await keyboard.type('+1 555 0301');
  await keyboard.press('Enter');
  await page.getByRole('button', { name: 'Take +1 555 0301 out' }).waitFor();
  await tabTo(page, 'Begin the chat');
  await keyboard.press('Enter');

  await page.getByLabel('Message', { exact: true }).waitFor();
  await untilRead('the focus', () => focused(page), 'Message');
  await keyboard.type('one line');
  await keyboard.press('Shift+Enter');
  await keyboard.type('and another');
  await keyboard.press('Enter');
  await message(page, 'one line\nand another', 'Stored').waitFor();
  await untilRead('the focus', () => focused(page), 'Message');

  // A dialog gives the focus back; Escape leads from the conversation to the list, Enter into it again.
  await page.keyboard.press('Shift+Tab');
  await tabTo(page, 'Message');
  await keyboard.press('Escape');
  await page.getByText('Choose a chat').waitFor();
  await page.waitForFunction(() => document.activeElement?.matches('a.conversation'));
  await keyboard.press('Enter');
  await page.getByLabel('Message', { exact: true }).waitFor();
  await row(other.page, '+1 555 0300').getByText('1 unread').waitFor();
});

test('a dialog keeps the focus, closes at Escape, and gives the focus back', async () => {
  const { page } = await system.user(0, '+1 555 0310');
  await tabTo(page, 'Your account');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Your account' }).waitFor();
  const isInDialog = () => page.evaluate(() => document.activeElement?.closest('dialog') !== null);
  await untilRead('whether the dialog has the focus', isInDialog, true);
  await page.keyboard.press('Escape');
  // One that is closed has no role any more, and is taken away a frame later: until then it cannot be opened again.
  await page.locator('dialog').waitFor({ state: 'detached' });
  await untilRead('the focus', () => focused(page), 'Your account');

  // Who is somewhere else by then stays there: the event of its end comes a frame later.
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Your account' }).waitFor();
  await page.evaluate(() => {
    document.querySelector('dialog')?.close();
    document.querySelector<HTMLElement>('[aria-label="New chat"]')?.focus();
  });
  await page.locator('dialog').waitFor({ state: 'detached' });
  expect(await focused(page)).toBe('New chat');
});

test('a dialog that ends with what was asked for gives the focus back as well', async () => {
  const { page, proxy } = await system.user(0, '+1 555 0311');
  // Without an answer no chat begins, which would take the focus.
  proxy.cut();
  await tabTo(page, 'New chat');
  await page.keyboard.press('Enter');
  await page.getByLabel('Phone number').fill('+1 555 0312');
  await tabTo(page, 'Begin the chat');
  await page.keyboard.press('Enter');
  await page.locator('dialog').waitFor({ state: 'detached' });
  expect(await focused(page)).toBe('New chat');
});

test('what arrives is said to a screen reader, with the name of who wrote it', async () => {
  const [ada, bob] = await Promise.all([system.user(0, '+1 555 0320'), system.user(1, '+1 555 0321')]);
  await ada.page.getByRole('button', { name: 'New chat' }).click();
  // Who has written a number need not press Add as well.
  await ada.page.getByLabel('Phone number').fill(bob.number);
  await ada.page.getByRole('button', { name: 'Begin the chat' }).click();
  await ada.page.getByLabel('Message', { exact: true }).fill('listen');
  await ada.page.keyboard.press('Enter');
  await bob.page.getByRole('status').filter({ hasText: '+1 555 0320: listen' }).waitFor();
});
