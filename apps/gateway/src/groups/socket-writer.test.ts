import { expect, test } from '@jest/globals';
import { SocketWriter } from './socket-writer.ts';

test('a frame that is larger than the room waits until nothing is unread, and what comes behind it waits too', async () => {
  let read = () => {};
  const socket = {
    isOpen: true,
    unreadBytes: 0,
    async drained(max: number) {
      while (socket.unreadBytes > max) await new Promise<void>((resolve) => (read = resolve));
    },
  };
  const reads = async (bytes: number) => {
    socket.unreadBytes -= bytes;
    read();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const sent: [what: string, unreadBytes: number][] = [];
  const writer = new SocketWriter(socket);
  const write = (what: string, size: number) =>
    writer.write((bytes, isEmpty) => {
      if (size > bytes && !isEmpty) return 'whole';
      sent.push([what, socket.unreadBytes]);
      socket.unreadBytes += size;
      return true;
    });
  write('small', 100_000);
  write('large', 900_000);
  write('last', 10);
  await reads(99_999);
  expect(sent).toEqual([['small', 0]]);
  await reads(1);
  expect(sent).toEqual([
    ['small', 0],
    ['large', 0],
  ]);
  await reads(800_000);
  expect(sent.at(-1)).toEqual(['last', 100_000]);
  expect(writer.isIdle).toBe(false);
});
