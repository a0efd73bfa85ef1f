import { renameSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { PerformanceObserver } from 'node:perf_hooks';
import { loadUws } from '@hooligram/uws';
import { machineTime } from '../machine-clock.ts';
import { type MessageKey, messagesIn, NoteLog, type Point } from './note-log.ts';

// Loaded into gateways, cores and the load process with --import, for hops and tails alone: it notes when each
// message passes a socket of the process, and SIGUSR2 writes what it has noted to `<pid>.json`. A message is known by
// the numbers in its content, see load/message-stream.ts. Nothing of it is in a process that runs without it.

const folder = process.env.BENCH_HOPS_DIR ?? '.';
const program = process.argv[1] ?? '';
const notes = new NoteLog();
/** The messages of a statement whose answer is the next chunk of the connection. */
const statements = new WeakMap<Socket, readonly MessageKey[]>();

process.on('SIGUSR2', () => {
  const file = join(folder, `${process.pid}.json`);
  writeFileSync(`${file}.part`, JSON.stringify(notes.take()));
  renameSync(`${file}.part`, file);
});

const microseconds = (ms: number) => Math.round(ms * 1_000);

new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries()) {
    notes.collection(microseconds(duration), microseconds(machineTime(startTime + duration)));
  }
}).observe({ entryTypes: ['gc'] });

function note(point: Point, keys: readonly MessageKey[]): void {
  if (keys.length === 0) return;
  const at = microseconds(machineTime());
  for (const key of keys) notes.message(point, key, at);
}

/** @param chunk a text, bytes, or what uWebSockets.js lends */
function keysOf(chunk: unknown): MessageKey[] {
  if (typeof chunk === 'string') return messagesIn(chunk);
  if (chunk instanceof ArrayBuffer) return messagesIn(Buffer.from(chunk));
  if (chunk instanceof Uint8Array) {
    return messagesIn(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
  }
  return [];
}

/** Calls `before` with the arguments of each call of a method. */
function observe<T extends object>(
  owner: T,
  method: keyof T,
  before: (self: T, first: unknown) => void,
): void {
  const original = owner[method] as (...args: unknown[]) => unknown;
  owner[method] = function (this: T, ...args: unknown[]) {
    before(this, args[0]);
    return original.apply(this, args);
  } as T[keyof T];
}

if (program.includes('/load/')) {
  observe(Socket.prototype, 'write', (_, chunk) => note('client-out', keysOf(chunk)));
  const { MessageStream } = await import('../load/message-stream.ts');
  const { receive } = MessageStream.prototype;
  MessageStream.prototype.receive = function (client, number) {
    const isOfOther = client !== this.members[0];
    if (isOfOther) note('client-in', [[number, this.groupId]]);
    return receive.call(this, client, number);
  };
} else if (program.includes('/core/')) {
  observe(Socket.prototype, 'write', (socket, chunk) => {
    const keys = keysOf(chunk);
    if (keys.length === 0) return;
    if ((chunk as string | Buffer).includes('PUBLISH')) note('publish-out', keys);
    else {
      statements.set(socket, keys);
      note('statement-out', keys);
    }
  });
  observe(Socket.prototype, 'push', (socket, chunk) => {
    note('statement-in', statements.get(socket) ?? []);
    statements.delete(socket);
    note('entry-in', keysOf(chunk));
  });
} else if (program.includes('/gateway/')) {
  observe(Socket.prototype, 'write', (_, chunk) => note('request-out', keysOf(chunk)));
  observe(Socket.prototype, 'push', (_, chunk) => note('publication-in', keysOf(chunk)));
  const { uWS } = loadUws();
  const { App } = uWS;
  Object.defineProperty(uWS, 'App', {
    value: (...options: Parameters<typeof App>) => {
      const app = App(...options);
      const { ws, publish } = app;
      app.ws = ((pattern: string, behavior: Parameters<typeof app.ws>[1]) => {
        const { message } = behavior;
        return ws.call(app, pattern, {
          ...behavior,
          message(socket, bytes, isBinary) {
            note('socket-in', keysOf(bytes));
            return message?.(socket, bytes, isBinary);
          },
        });
      }) as typeof app.ws;
      app.publish = (topic, frame, ...rest) => {
        note('socket-out', keysOf(frame));
        return publish.call(app, topic, frame, ...rest);
      };
      return app;
    },
  });
}
