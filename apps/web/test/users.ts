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
import { proxyTo, type TcpProxy } from './proxy.ts';

/** Small, because every pixel is drawn by the CPU. */
const browserOptions: BrowserContextOptions = {
  locale: 'en-GB',
  reducedMotion: 'reduce',
  viewport: { width: 860, height: 560 },
};

/** A user with a browser of their own. */
export type User = {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly proxy: TcpProxy;
  /** As the page shows it. */
  readonly number: string;
};

/** The system of one test file, the page, and a browser for all users. All that a test opened ends with the test. */
export type WebSystem = {
  readonly stack: TestSystem;
  /** The page on its own server, without a user. */
  readonly pageUrl: string;
  /** A user who has not signed in; their connections go to that gateway as long as it lives. */
  newUser(gateway: number, number: string, options?: BrowserContextOptions): Promise<User>;
  /** A user who has signed in. */
  user(gateway: number, number: string, options?: BrowserContextOptions): Promise<User>;
};

export function startWebSystem(options: TestSystemOptions = {}): WebSystem {
  let stack: TestSystem;
  let web: WebServer;
  let browser: Browser;
  let pageUrl = '';
  /** Beside the gateways: each user's own proxy. */
  const servers: { name: string; url: string }[] = [];
  const opened: (() => unknown)[] = [];
  beforeAll(async () => {
    const [port = 0] = await freePorts(1);
    // One after the other: while the first fails, the second would start on ports that the next file takes.
    browser = await startBrowser();
    stack = await startSystem({ gateways: 2, cores: 1, ...options });
    web = await serveWeb('127.0.0.1', port, {
      port: Number(new URL(stack.url).port),
      gateways: stack.gateways.map(({ url }, index) => ({
        name: `gateway-${index + 1}`,
        port: Number(new URL(url).port),
      })),
      servers,
    });
    pageUrl = `http://127.0.0.1:${port}/`;
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((end) => end()));
  });
  afterAll(async () => {
    await browser?.close();
    await web?.close();
    await stack?.stop();
  });

  const newUser: WebSystem['newUser'] = async (gateway, number, contextOptions) => {
    const own = stack.gateway(gateway).url;
    const others = stack.gateways.map(({ url }) => url).filter((url) => url !== own);
    const proxy = await proxyTo([own, ...others]);
    servers.push({ name: number, url: proxy.url });
    const context = await browser.newContext({ ...browserOptions, ...contextOptions });
    context.setDefaultTimeout(patienceMs);
    opened.push(async () => {
      await context.close();
      proxy.end();
    });
    const page = await context.newPage();
    await page.goto(`${pageUrl}?url=${encodeURIComponent(proxy.url)}`);
    return { page, context, proxy, number };
  };
  return {
    get stack() {
      return stack;
    },
    get pageUrl() {
      return pageUrl;
    },
    newUser,
    async user(gateway, number, contextOptions) {
      const user = await newUser(gateway, number, contextOptions);
      await signIn(user);
      return user;
    },
  };
}

/**
 * Reads a page until it shows what is expected: a change arrives at once in one place of the page, and a moment later
 * in another.
 */
export async function untilRead<T>(what: string, read: () => Promise<T>, expected: T): Promise<void> {
  await until(`${what} is ${JSON.stringify(expected)}`, read, (found) => found === expected);
}

export async function signIn({ page, number }: User): Promise<void> {
  await page.getByLabel('Phone number').fill(number);
  await page.getByRole('button', { name: 'Send me a code' }).click();
  await page.getByLabel('Code', { exact: true }).fill('000000');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Chats' }).waitFor();
}

/** Makes a direct message, or with a name a group, and leaves it open. */
export async function beginChat({ page }: User, numbers: readonly string[], name = ''): Promise<void> {
  await page.getByRole('button', { name: 'New chat' }).click();
  for (const number of numbers) {
    await page.getByLabel('Phone number').fill(number);
    await page.getByRole('button', { name: 'Add', exact: true }).click();
  }
  if (name !== '') await page.getByLabel('Name of the group').fill(name);
  await page.getByRole('button', { name: name === '' ? 'Begin the chat' : 'Create the group' }).click();
  await page.getByLabel('Message', { exact: true }).waitFor();
}

export async function openChat({ page }: User, title: string): Promise<void> {
  await row(page, title).click();
  await page.getByRole('heading', { name: title }).waitFor();
}

export function row(page: Page, title: string) {
  return page.getByRole('navigation', { name: 'Chats' }).getByRole('link', { name: title });
}

export async function write({ page }: User, text: string): Promise<void> {
  await page.getByLabel('Message', { exact: true }).fill(text);
  await page.keyboard.press('Enter');
}

/** All that the browser keeps of the page in IndexedDB. What is shown is kept a moment later. */
function kept(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const resultOf = <R>(request: IDBRequest<R>) =>
      new Promise<R>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const entries: unknown[] = [];
    for (const { name = '' } of await indexedDB.databases()) {
      const database = await resultOf(indexedDB.open(name));
      for (const store of database.objectStoreNames) {
        entries.push(await resultOf(database.transaction(store).objectStore(store).getAll()));
      }
      database.close();
    }
    return JSON.stringify(entries);
  });
}

/** Until the browser has kept this, and has not, or no longer, kept that: then the page may go. */
export async function untilKept({ page }: Pick<User, 'page'>, text: string, not?: string): Promise<void> {
  await until(
    `${text} is kept`,
    () => kept(page),
    (found) => found.includes(text) && (not === undefined || !found.includes(not)),
  );
}

/** A message in the open conversation, and what the page says of it. */
export function message(page: Page, text: string, status = '') {
  const all = page.getByRole('region', { name: 'Messages', exact: true }).getByRole('listitem');
  const own = all.filter({ hasText: text });
  return status === '' ? own : own.filter({ hasText: status });
}
