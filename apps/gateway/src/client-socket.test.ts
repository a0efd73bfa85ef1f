import type { uWS } from '@hooligram/uws';
import { expect, test } from '@jest/globals';
import { ClientSocket } from './client-socket.ts';

test('requests that are answered one after the other without a wait share a system call, and nothing overtakes them', async () => {
  const sent: string[][] = [];
  const ws = {
    cork: (write: () => void) => {
      sent.push([]);
      write();
    },
    send: (frame: string) => {
      sent.at(-1)?.push(frame);
      return 1;
    },
    getBufferedAmount: () => 0,
  } as unknown as uWS.WebSocket<unknown>;
  const socket = new ClientSocket(ws, '127.0.0.1', { onSlow() {}, onBuffered() {}, close() {} });
  for (const answer of ['a', 'b', 'c']) {
    socket.sendLater(answer);
    // As a handler does that need not wait.
    await undefined;
  }
  expect(sent).toEqual([]);
  await new Promise((resolve) => setImmediate(resolve));
  socket.sendLater('d');
  socket.send('e');
  expect(sent).toEqual([
    ['a', 'b', 'c'],
    ['d', 'e'],
  ]);
});
