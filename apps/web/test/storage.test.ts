import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { beginChat, message, openChat, signIn, startWebSystem, type User, write } from './users.ts';

const system = startWebSystem({
  gateways: 1,
  env: { DELIVERY_ACK_DEADLINE_MS: '300' },
  gatewayEnv: { CURSOR_FLUSH_MS: '50' },
  coreEnv: { DELIVERY_RETRY_MS: '300' },
});

/** What the browser does when it is asked to keep something; the page's own code does not know of it. */
type Fault = 'none' | 'refused' | 'full';

/** Puts faults where the browser's own are: below IndexedDB and localStorage. */
function breakStorage(first: Fault): void {
  const state = { fault: first, databases: [] as IDBDatabase[] };
  Object.assign(globalThis, { storageFaults: state });
  const refuse = () => {
    throw new DOMException('refused', 'SecurityError');
  };
  const { open } = IDBFactory.prototype;
  IDBFactory.prototype.open = function (...args) {
    if (state.fault === 'refused') refuse();
    const request = open.apply(this, args);
    request.addEventListener('success', () => state.databases.push(request.result));
    return request;
  };
  const { put } = IDBObjectStore.prototype;
  IDBObjectStore.prototype.put = function (...args) {
    if (state.fault === 'full') throw new DOMException('no room', 'QuotaExceededError');
    return put.apply(this, args);
  };
  const { setItem } = Storage.prototype;
  Storage.prototype.setItem = function (...args) {
    if (state.fault === 'full') throw new DOMException('no room', 'QuotaExceededError');
    setItem.apply(this, args);
  };
  if (first === 'refused') Object.defineProperty(globalThis, 'localStorage', { get: refuse });
}

function setFault(page: Page, fault: Fault): Promise<void> {
  return page.evaluate((next) => {
    (globalThis as unknown as { storageFaults: { fault: string } }).storageFaults.fault = next;
  }, fault);
}

/** Somebody whose page has such a browser from its next load on. */
async function withFaults(number: string, first: Fault): Promise<User> {
  const somebody = await system.newUser(0, number);
  await somebody.page.addInitScript(breakStorage, first);
  await somebody.page.reload();
  await signIn(somebody);
  return somebody;
}

const keepsNothing = (page: Page) =>
  page.getByText('This browser keeps nothing for this page at the moment.');
const hasNoRoom = (page: Page) => page.getByText('This browser has no room left for the chat.');

test('in a browser that refuses to keep anything users chat, the page says so, and the next page gets all of it', async () => {
  const [ada, bob] = [await system.user(0, '+1 555 0400'), await withFaults('+1 555 0401', 'refused')];
  await keepsNothing(bob.page).waitFor();
  await beginChat(ada, [bob.number]);
  await write(ada, 'do you hear me?');
  await openChat(bob, ada.number);
  await message(bob.page, 'do you hear me?').waitFor();
  await write(bob, 'as long as this page is open');
  await message(ada.page, 'as long as this page is open').waitFor();
  await message(bob.page, 'as long as this page is open', 'not kept in this browser').waitFor();
  // Of the same user, in a browser that keeps things: nothing was acknowledged.
  const later = await system.newUser(0, bob.number);
  await signIn(later);
  await openChat(later, ada.number);
  await message(later.page, 'do you hear me?').waitFor();
  await message(later.page, 'as long as this page is open', 'Stored').waitFor();
  expect(await keepsNothing(later.page).count()).toBe(0);
});

test('in a browser that is full messages are shown and said not to be kept, until there is room and they are', async () => {
  const [ada, bob] = [await system.user(0, '+1 555 0410'), await withFaults('+1 555 0411', 'none')];
  await beginChat(ada, [bob.number]);
  await openChat(bob, ada.number);
  await write(bob, 'with room');
  await message(bob.page, 'with room', 'Stored').waitFor();
  expect(await hasNoRoom(bob.page).count()).toBe(0);
  await setFault(bob.page, 'full');
  await write(bob, 'without room');
  await message(ada.page, 'without room').waitFor();
  await message(bob.page, 'without room', 'not kept in this browser').waitFor();
  await hasNoRoom(bob.page).waitFor();
  await setFault(bob.page, 'none');
  await message(bob.page, 'without room', 'Stored').waitFor();
  await hasNoRoom(bob.page).waitFor({ state: 'detached' });
  await bob.page.reload();
  await message(bob.page, 'with room', 'Stored').waitFor();
  await message(bob.page, 'without room', 'Stored').waitFor();
});

test('a page of an earlier release, beside one that has changed what is kept, says that it must be loaded again', async () => {
  const [ada, bob] = [await system.user(0, '+1 555 0430'), await system.user(0, '+1 555 0431')];
  await beginChat(ada, [bob.number]);
  await openChat(bob, ada.number);
  await write(bob, 'before');
  await message(bob.page, 'before', 'Stored').waitFor();
  // What a page of a later release does first. It waits until the other one has closed the database.
  const changed = await bob.page.evaluate(async () => {
    const names = (await indexedDB.databases()).flatMap(({ name = '' }) => name);
    for (const name of names) {
      await new Promise<void>((resolve, reject) => {
        const request = indexedDB.open(name, 2);
        request.onsuccess = () => resolve(request.result.close());
        request.onerror = () => reject(request.error);
      });
    }
    return names.length;
  });
  expect(changed).toBe(2);
  await write(ada, 'while it is too old');
  await message(bob.page, 'while it is too old').waitFor();
  await bob.page.getByText('this one must be loaded again').waitFor();
  await bob.page.getByRole('button', { name: 'Reload' }).waitFor();
});

test('a database that the browser closes in the middle is opened again, and nothing is missing', async () => {
  const [ada, bob] = [await system.user(0, '+1 555 0420'), await withFaults('+1 555 0421', 'none')];
  await beginChat(ada, [bob.number]);
  await openChat(bob, ada.number);
  await write(bob, 'before');
  await message(bob.page, 'before', 'Stored').waitFor();
  const closed = await bob.page.evaluate(() => {
    const { databases } = (globalThis as unknown as { storageFaults: { databases: IDBDatabase[] } })
      .storageFaults;
    for (const database of databases) database.close();
    return databases.length;
  });
  expect(closed).toBe(2);
  await write(bob, 'after');
  await message(bob.page, 'after', 'Stored').waitFor();
  expect(await keepsNothing(bob.page).count()).toBe(0);
  await bob.page.reload();
  for (const said of ['before', 'after']) await message(bob.page, said, 'Stored').waitFor();
});
