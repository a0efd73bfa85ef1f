import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import axe from 'axe-core';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { setTown } from './people.ts';
import { scene } from './scene.ts';

const town = setTown();
const documented = fileURLToPath(new URL('../../../docs/screenshots/', import.meta.url));

const inDocs = new Set(['desktop-light', 'desktop-dark', 'phone-light']);

const sizes = {
  desktop: { viewport: { width: 1180, height: 760 } },
  phone: { viewport: { width: 390, height: 780 }, deviceScaleFactor: 1.5, isMobile: true, hasTouch: true },
} satisfies Record<string, BrowserContextOptions>;

/** @returns what axe-core finds, as lines for people */
async function faults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run();
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  });
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
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      found.push(...(await faults(page)).map((fault) => `${what}, ${colorScheme}: ${fault}`));
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
    const { page } = await scene(town, sizes[size]);
    expect(await lookAround(page, size)).toEqual([]);
  },
  60_000,
);

test('the sign-in, in light and in dark, has no faults that axe-core knows', async () => {
  const { page } = await town.stranger(0, '', sizes.desktop);
  await page.getByLabel('Phone number').waitFor();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    expect(await faults(page)).toEqual([]);
    await picture(page, `sign-in-${colorScheme}`);
  }
});
