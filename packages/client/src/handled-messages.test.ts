import { expect, test } from '@jest/globals';
import { Emitter } from './emitter.ts';
import { HandledMessages } from './handled-messages.ts';
import { memoryStorage } from './storage/memory.ts';
import { Store } from './store.ts';

const sid = '1.5550100';

function setUp() {
  const storage = memoryStorage();
  const store = new Store(storage, new Emitter());
  const open = async () => new HandledMessages(store, sid, await store.load());
  return { storage, store, open };
}

test('a message is new until it was handled, and never again, on later pages neither', async () => {
  const { open } = setUp();
  const messages = await open();
  expect(messages.arrive(1, 10)).toBe('new');
  expect(messages.arrive(1, 10)).toBe('running');
  await messages.handle(1, 10);
  expect(messages.arrive(1, 10)).toBe('handled');
  expect((await open()).arrive(1, 10)).toBe('handled');
});

test('a message that failed is new again, whatever was handled since, on later pages too', async () => {
  const { open } = setUp();
  const messages = await open();
  for (const id of [10, 11, 12]) messages.arrive(1, id);
  messages.fail(1, 10);
  await messages.handle(1, 11);
  for (const memory of [messages, await open()]) {
    expect(memory.arrive(1, 11)).toBe('handled');
    expect(memory.arrive(1, 10)).toBe('new');
  }
  // It arrived, and the page was gone before it was handled.
  expect((await open()).arrive(1, 12)).toBe('new');
});

test('groups and users have nothing to do with each other', async () => {
  const { store, open } = setUp();
  const messages = await open();
  messages.arrive(1, 10);
  await messages.handle(1, 10);
  expect(messages.arrive(2, 9)).toBe('new');
  expect(new HandledMessages(store, '1.5550101', await store.load()).arrive(1, 10)).toBe('new');
});

test('the storage takes one entry a group, however many messages there were', async () => {
  const { storage, open } = setUp();
  const messages = await open();
  for (let id = 1; id <= 1_000; id += 1) {
    messages.arrive(1, id);
    await messages.handle(1, id);
  }
  const stored = await storage.load();
  expect([...stored.keys()]).toEqual([`seen/${sid}/1`]);
  expect(stored.get(`seen/${sid}/1`)?.length).toBeLessThan(100);
  messages.forget(1);
  expect((await storage.load()).size).toBe(0);
});

test('a group of the same id that was created at another time is another group', async () => {
  const { open } = setUp();
  const messages = await open();
  messages.meet(1, '2026-11-22T07:08:57.123Z');
  messages.arrive(1, 10);
  await messages.handle(1, 10);
  const later = await open();
  later.meet(1, '2026-11-22T07:08:57.123Z');
  expect(later.arrive(1, 10)).toBe('handled');
  later.meet(1, '2026-11-23T00:00:00.000Z');
  expect(later.arrive(1, 10)).toBe('new');
});
