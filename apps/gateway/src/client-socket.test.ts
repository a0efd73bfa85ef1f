import type { uWS } from '@hooligram/uws';
import { expect, test } from '@jest/globals';
import { ClientSocket } from './client-socket.ts';

/** A socket, and what it writes in each system call. */
function socketOf(resultOf: (calls: number) => number = () => 1): {
  socket: ClientSocket;
  sent: string[][];
  joinedAfter: number[];
} {
  const sent: string[][] = [];
  const joinedAfter: number[] = [];
  const ws = {
    cork: (write: () => void) => {
      sent.push([]);
      write();
    },
    send: (frame: string) => {
      sent.at(-1)?.push(frame);
      return 1;
    },
    ...Object.fromEntries(
      ['sendFirstFragment', 'sendFragment', 'sendLastFragment'].map((name) => [
        name,
        (bytes: Uint8Array) => resultOf(sent.push([`${name} ${Buffer.from(bytes)}`])),
      ]),
    ),
    subscribe: () => joinedAfter.push(sent.flat().length),
    getBufferedAmount: () => 0,
  } as unknown as uWS.WebSocket<unknown>;
  const socket = new ClientSocket(ws, '127.0.0.1', { onSlow() {}, onBuffered() {}, close() {} });
  return { socket, sent, joinedAfter };
}

test('requests that are answered one after the other without a wait share a system call, and nothing overtakes them', async () => {
  const { socket, sent } = socketOf();
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

/** uWebSockets.js gathers less than that; what is more goes through a buffer whose memory the connection keeps. */
const gatheredBytes = 16 * 1_024;
const bytesOf = (frames: readonly string[]) =>
  frames.reduce((sum, frame) => sum + 4 + Buffer.byteLength(frame), 0);

test.each([
  ['states of a hundred members', Array.from({ length: 30 }, (_, at) => `${at} ${'s'.repeat(1_680)}`), 4],
  [
    'texts whose characters have three bytes',
    Array.from({ length: 4 }, (_, at) => `${at} ${'→'.repeat(2_500)}`),
    2,
  ],
])('no system call has more %s than can be gathered, and all leave in order', (_, frames, calls) => {
  const { socket, sent } = socketOf();
  socket.send(...frames);
  expect(sent.flat()).toEqual(frames);
  expect(sent).toHaveLength(calls);
  for (const call of sent) expect(bytesOf(call)).toBeLessThan(gatheredBytes);
});

test('no system call has more of what is sent together than can be gathered, and all leaves in order', () => {
  const { socket, sent } = socketOf();
  const frames = Array.from({ length: 30 }, (_, at) => `${at} ${'s'.repeat(1_680)}`);
  const [first = '', second = '', ...others] = frames;
  socket.sendLater(first);
  socket.together(() => {
    socket.sendLater(second);
    for (const frame of others) socket.send(frame);
  });
  expect(sent.flat()).toEqual(frames);
  expect(sent).toHaveLength(4);
  for (const call of sent) expect(bytesOf(call)).toBeLessThan(gatheredBytes);
});

test.each([
  ['text', (text: string) => text],
  ['bytes', (text: string) => Buffer.from(text)],
])('what cannot be gathered leaves alone, in fragments, and before more is sent: %s', (_, frameOf) => {
  const { socket, sent } = socketOf();
  const large = frameOf('l'.repeat(2 * gatheredBytes));
  const fragments = [
    [`sendFirstFragment ${'l'.repeat(15_360)}`],
    [`sendFragment ${'l'.repeat(15_360)}`],
    [`sendLastFragment ${'l'.repeat(2_048)}`],
  ];
  socket.together(() => {
    socket.send('before');
    socket.send(large);
    expect(sent).toEqual([['before'], ...fragments]);
    socket.send('behind');
  });
  expect(sent).toEqual([['before'], ...fragments, ['behind']]);
  socket.send('before', large, 'behind');
  expect(sent.slice(5)).toEqual([['before'], ...fragments, ['behind']]);
});

test('what is left of a frame is sent at once when its client does not read the first of it', () => {
  const { socket, sent } = socketOf((calls) => (calls === 2 ? 0 : 1));
  socket.send('l'.repeat(5 * gatheredBytes));
  expect(sent.map(([first = '']) => [first.split(' ')[0], first.split(' ')[1]?.length])).toEqual([
    ['sendFirstFragment', 15_360],
    ['sendFragment', 15_360],
    ['sendLastFragment', 5 * gatheredBytes - 2 * 15_360],
  ]);
});

test('a frame is sent whole as long as it can be gathered', () => {
  const { socket, sent } = socketOf();
  const lengths = [gatheredBytes - 5, gatheredBytes - 4];
  for (const length of lengths) socket.send('l'.repeat(length));
  expect(sent.map(([first]) => first?.slice(0, 10))).toEqual(['llllllllll', 'sendFirstF', 'sendLastFr']);
});

test('what was to be sent later leaves before what is sent together, and with it', () => {
  const { socket, sent, joinedAfter } = socketOf();
  socket.sendLater('answer');
  const result = socket.together(() => {
    socket.send('state');
    socket.join('topic');
    socket.sendLater('second answer');
    return socket.together(() => socket.send('second state')) ?? 'done';
  });
  expect(result).toBe('done');
  expect(sent).toEqual([['answer', 'state', 'second answer', 'second state']]);
  socket.sendLater('third answer');
  socket.join('topic');
  expect(joinedAfter).toEqual([0, 5]);
});

test('what was sent together by work that threw has left', () => {
  const { socket, sent } = socketOf();
  const work = () => {
    socket.send('state');
    throw new Error('broken');
  };
  expect(() => socket.together(work)).toThrow('broken');
  socket.send('next');
  expect(sent).toEqual([['state'], ['next']]);
});
