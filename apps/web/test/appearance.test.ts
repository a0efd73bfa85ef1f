import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { connect, type TestClient } from '@hooligram/testkit';
import { expect, test } from '@jest/globals';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { message, openChat, type Person, row, setTown, signIn } from './people.ts';

const town = setTown();
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const pictures = fileURLToPath(new URL('../../../docs/screenshots/', import.meta.url));

const sizes = {
  desktop: { viewport: { width: 1180, height: 760 } },
  phone: { viewport: { width: 390, height: 780 }, deviceScaleFactor: 1.5, isMobile: true, hasTouch: true },
  'narrow phone': { viewport: { width: 320, height: 568 }, isMobile: true, hasTouch: true },
} satisfies Record<string, BrowserContextOptions>;

/** @returns what axe-core finds, as lines for people */
async function faults(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: AxeFault[] }> } };
    const { violations } = await axe.run();
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  });
}

interface AxeFault {
  readonly id: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** Whether anything sticks out to the side. */
function isWiderThanScreen(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
}

async function picture(page: Page, name: string): Promise<void> {
  if (process.env.UPDATE_SCREENSHOTS === '1') await page.screenshot({ path: `${pictures}${name}.png` });
}

let rounds = 0;

/** Ada's chats: a group that talks, and a few others. Those who talk with her have no browser. */
async function scene(options: BrowserContextOptions): Promise<Person> {
  rounds += 1;
  const sidOf = (tail: number) => `44.77009${rounds}01${tail}`;
  const people: TestClient[] = [];
  for (const tail of [11, 12, 13]) {
    const somebody = await connect(town.system.url);
    await somebody.signIn(sidOf(tail));
    people.push(somebody);
  }
  const [grace, linus, radia] = people as [TestClient, TestClient, TestClient];
  const begin = async (by: TestClient, group_name: string, tails: number[]) => {
    const member_sids = tails.map(sidOf);
    const { payload } = await by.requestOk('GROUP_CREATE_REQUEST', { group_name, member_sids });
    return payload.group_id as number;
  };
  const say = (who: TestClient, group_id: number, content: string) =>
    who.requestOk('MESSAGING_SEND_REQUEST', { group_id, content });
  await say(linus, await begin(linus, 'Allotment 14', [10, 12, 11, 13]), 'Who has the key to the shed?');
  await begin(radia, 'Thursday quiz', [10, 13, 12]);
  await say(radia, await begin(radia, '', [13, 10]), 'Tickets are booked 🎟️');
  await say(radia, await begin(radia, 'Family', [13, 10, 11]), 'Call me when you are home');
  const hikes = await begin(grace, 'Sunday hikes', [10, 11, 12, 13]);
  await say(grace, hikes, 'The forecast is good for Sunday. Over the ridge, or around the lake?');
  await say(linus, hikes, 'The ridge! We have put it off twice.');
  await say(linus, hikes, 'I can bring the big flask.');

  const ada = await town.stranger(0, `+44 77009 ${rounds} 0110`, options);
  await ada.page.evaluate(
    ([url, sid, names]) => localStorage.setItem(`hooligram notebook ${url} ${sid} names`, names ?? ''),
    [
      ada.way.url,
      sidOf(10),
      JSON.stringify({
        [sidOf(10)]: 'Ada Byron',
        [sidOf(11)]: 'Grace',
        [sidOf(12)]: 'Linus',
        [sidOf(13)]: 'Radia Perlman',
      }),
    ],
  );
  await signIn(ada);
  await openChat(ada, 'Sunday hikes');
  await message(ada.page, 'big flask').waitFor();
  const { page } = ada;
  const write = async (text: string) => {
    await page.getByLabel('Message', { exact: true }).fill(text);
    await page.getByRole('button', { name: 'Send' }).click();
    await message(page, text, 'Stored').waitFor();
  };
  await write('The ridge, then. Eight o’clock at the bridge?');
  await write('I will take the train at 7:12, if somebody wants company.');
  await say(radia, hikes, 'Eight is fine. I bring bread and a map that is older than all of us.');
  await message(page, 'older than all of us').waitFor();
  for (const person of people) await person.close();
  return ada;
}

test.each([
  ['desktop', 'light'],
  ['desktop', 'dark'],
  ['phone', 'light'],
  ['phone', 'dark'],
  ['narrow phone', 'light'],
] as const)(
  'on a %s, %s, axe-core finds nothing, and nothing sticks out',
  async (size, colorScheme) => {
    const { page } = await scene({ ...sizes[size], colorScheme, reducedMotion: 'reduce' });
    const found: string[] = [];
    const look = async (what: string) => {
      found.push(...(await faults(page)).map((fault) => `${what}: ${fault}`));
      if (await isWiderThanScreen(page)) found.push(`${what}: wider than the screen`);
      await picture(page, `${size}-${colorScheme}-${what}`);
    };
    await look('chat');
    await page.getByRole('button', { name: 'People' }).click();
    await look('people');
    await page.keyboard.press('Escape');
    if (size !== 'desktop') await page.getByRole('link', { name: 'All chats' }).click();
    await row(page, 'Allotment 14').waitFor();
    await look('list');
    await page.getByRole('button', { name: 'New chat' }).click();
    await look('new');
    await page.keyboard.press('Escape');
    await page.context().setOffline(true);
    await page.getByText('You are offline').waitFor();
    await look('offline');
    expect(found).toEqual([]);
  },
  60_000,
);

test.each(['light', 'dark'] as const)(
  'the sign-in, %s, has no faults that axe-core knows',
  async (colorScheme) => {
    const { page } = await town.stranger(0, '', { ...sizes.desktop, colorScheme });
    await page.getByLabel('Phone number').waitFor();
    expect(await faults(page)).toEqual([]);
    await picture(page, `sign-in-${colorScheme}`);
  },
);
