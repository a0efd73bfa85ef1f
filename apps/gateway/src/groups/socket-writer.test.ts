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

test('what a job writes itself comes behind the rest of the job, and a writer whose jobs are done at once waits for nothing', () => {
  const socket = { isOpen: true, unreadBytes: 0, drained: async () => {} };
  const writer = new SocketWriter(socket);
  const sent: string[] = [];
  let parts = 0;
  writer.write(() => {
    parts += 1;
    sent.push(`part ${parts}`);
    if (parts > 1) return true;
    for (const name of ['first', 'second']) writer.write(() => sent.push(name) > 0);
    return false;
  });
  writer.write(() => sent.push('third') > 0);
  expect(sent).toEqual(['part 1', 'part 2', 'first', 'second', 'third']);
  expect(writer.isIdle).toBe(true);
});
