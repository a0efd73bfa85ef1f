import { expect, test } from '@jest/globals';
import { ReplayWindow, type Room } from './replay-window.ts';

const messages = 64;
const bytes = 1_000_000;
const large = 64 * 1_024;

test('a window of large messages is full of bytes long before it is full of messages', async () => {
  const window = new ReplayWindow({ messages, bytes });
  let sent = 0;
  const send = (room: Room) => {
    // A page has as many as fit into 256 KiB.
    const count = Math.min(room.messages, 4);
    sent += count;
    window.add(count, count * large);
    window.release(room);
  };
  let isFull = false;
  while (!isFull) {
    const room = window.reserve(1_000, 3);
    isFull = await Promise.race([room.then(() => false), new Promise<boolean>((r) => setImmediate(r, true))]);
    if (isFull) void room.then(send);
    else send(await room);
  }
  expect(sent * large).toBeLessThanOrEqual(bytes);
  expect(sent * large).toBeGreaterThan(bytes / 2);
  // It goes on with the acknowledgements.
  const before = sent;
  for (let acknowledged = 0; acknowledged < 8; acknowledged += 1) window.add(-1, -large);
  await new Promise((resolve) => setImmediate(resolve));
  expect(sent).toBeGreaterThan(before);
});

test('one message that is larger than the window is sent alone', async () => {
  const window = new ReplayWindow({ messages, bytes: 10_000 });
  const room = await window.reserve(1, 1);
  window.add(1, large);
  window.release(room);
  let isGiven = false;
  void window.reserve(1, 1).then(() => {
    isGiven = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isGiven).toBe(false);
  window.add(-1, -large);
  await new Promise((resolve) => setImmediate(resolve));
  expect(isGiven).toBe(true);
});

/** How many pages a group takes for 1,000 messages whose client acknowledges a page while the next one is read. */
async function pagesFor(replays: number): Promise<number> {
  const window = new ReplayWindow({ messages, bytes });
  let pages = 0;
  let before = 0;
  for (let left = 1_000; left > 0; pages += 1) {
    const room = await window.reserve(left, replays);
    window.add(room.messages, room.messages * 100);
    window.release(room);
    window.add(-before, -before * 100);
    before = room.messages;
    left -= room.messages;
  }
  return pages;
}

test('a group that is replayed alone has pages of half the window, and four share it', async () => {
  expect(await pagesFor(1)).toBe(Math.ceil(1_000 / 32));
  expect(await pagesFor(4)).toBe(Math.ceil(1_000 / 16));
  expect(await pagesFor(1_000)).toBe(Math.ceil(1_000 / 16));
});

test('messages that were acknowledged before they were sent leave a page room for messages', () => {
  const window = new ReplayWindow({ messages, bytes });
  window.add(8, 8 * 61_440);
  // Seven short ones of which six are acknowledged: one more, and the bytes of the others weigh less.
  window.add(1, -195_768);
  expect(window.meanBytes).toBeGreaterThan(0);
  expect(window.messagesAPage).toBeGreaterThan(1);
});
