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
    const room = window.reserve(1_000);
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
  const room = await window.reserve(1);
  window.add(1, large);
  window.release(room);
  let isGiven = false;
  void window.reserve(1).then(() => {
    isGiven = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isGiven).toBe(false);
  window.add(-1, -large);
  await new Promise((resolve) => setImmediate(resolve));
  expect(isGiven).toBe(true);
});
