import { serveWeb, type WebServer } from '@hooligram/local';
import {
  freePorts,
  patienceMs,
  startSystem,
  type TestSystem,
  type TestSystemOptions,
  until,
} from '@hooligram/testkit';
import { startBrowser } from '@hooligram/testkit/browser';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { type Way, wayTo } from './way.ts';

/** Small, because every pixel is drawn by the CPU. */
const browserOptions: BrowserContextOptions = {
  locale: 'en-GB',
  reducedMotion: 'reduce',
  viewport: { width: 860, height: 560 },
};

/** Somebody with a browser of their own. */
export type Person = {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly way: Way;
  /** As the page shows it. */
  readonly number: string;
};

/** The system of one test file, the page, and a browser for everybody. What a test opened ends with it. */
export type Town = {
  readonly system: TestSystem;
  /** The page on its own server, without anybody in it. */
  readonly pageUrl: string;
  /** Somebody who is about to sign in; their connections go to that gateway as long as it lives. */
  stranger(gateway: number, number: string, options?: BrowserContextOptions): Promise<Person>;
  /** Somebody who has signed in. */
  person(gateway: number, number: string, options?: BrowserContextOptions): Promise<Person>;
};

export function setTown(options: TestSystemOptions = {}): Town {
  let system: TestSystem;
  let web: WebServer;
  let browser: Browser;
  let pageUrl = '';
  const opened: (() => unknown)[] = [];
  beforeAll(async () => {
    const [port = 0] = await freePorts(1);
    [system, browser] = await Promise.all([
      startSystem({ gateways: 2, cores: 1, ...options }),
      startBrowser(),
    ]);
    web = await serveWeb('127.0.0.1', port, {
      port: Number(new URL(system.url).port),
      gateways: system.gateways.map(({ url }, index) => ({
        name: `gateway-${index + 1}`,
        port: Number(new URL(url).port),
      })),
    });
    pageUrl = `http://127.0.0.1:${port}/`;
  }, 300_000);
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((end) => end()));
  });
  afterAll(async () => {
    await browser?.close();
    await web?.close();
    await system?.stop();
  });

  const stranger: Town['stranger'] = async (gateway, number, contextOptions) => {
    const own = system.gateway(gateway).url;
    const others = system.gateways.map(({ url }) => url).filter((url) => url !== own);
    const way = await wayTo([own, ...others]);
    const context = await browser.newContext({ ...browserOptions, ...contextOptions });
    context.setDefaultTimeout(patienceMs);
    opened.push(async () => {
      await context.close();
      way.end();
    });
    const page = await context.newPage();
    await page.goto(`${pageUrl}?url=${encodeURIComponent(way.url)}`);
    return { page, context, way, number };
  };
  return {
    get system() {
      return system;
    },
    get pageUrl() {
      return pageUrl;
    },
    stranger,
    async person(gateway, number, contextOptions) {
      const somebody = await stranger(gateway, number, contextOptions);
      await signIn(somebody);
      return somebody;
    },
  };
}

/**
 * Reads a page until it shows what is expected: what is told to it arrives at once in one place, and a moment later in
 * another.
 */
export async function untilRead<T>(what: string, read: () => Promise<T>, expected: T): Promise<void> {
  await until(`${what} is ${JSON.stringify(expected)}`, read, (found) => found === expected);
}

export async function signIn({ page, number }: Person): Promise<void> {
  await page.getByLabel('Phone number').fill(number);
  await page.getByRole('button', { name: 'Send me a code' }).click();
  await page.getByLabel('Code', { exact: true }).fill('000000');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Chats' }).waitFor();
}

/** Makes a direct message, or with a name a group, and leaves it open. */
export async function beginChat({ page }: Person, numbers: readonly string[], name = ''): Promise<void> {
  await page.getByRole('button', { name: 'New chat' }).click();
  for (const number of numbers) {
    await page.getByLabel('Phone number').fill(number);
    await page.getByRole('button', { name: 'Add', exact: true }).click();
  }
  if (name !== '') await page.getByLabel('Name of the group').fill(name);
  await page.getByRole('button', { name: name === '' ? 'Begin the chat' : 'Create the group' }).click();
  await page.getByLabel('Message', { exact: true }).waitFor();
}

export async function openChat({ page }: Person, title: string): Promise<void> {
  await row(page, title).click();
  await page.getByRole('heading', { name: title }).waitFor();
}

export function row(page: Page, title: string) {
  return page.getByRole('navigation', { name: 'Chats' }).getByRole('link', { name: title });
}

export async function say({ page }: Person, text: string): Promise<void> {
  await page.getByLabel('Message', { exact: true }).fill(text);
  await page.keyboard.press('Enter');
}

/** A message in the open conversation, and what the page says of it. */
export function message(page: Page, text: string, status = '') {
  const all = page.getByRole('region', { name: 'Messages', exact: true }).getByRole('listitem');
  const own = all.filter({ hasText: text });
  return status === '' ? own : own.filter({ hasText: status });
}
