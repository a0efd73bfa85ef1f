import { expect, test } from '@jest/globals';
import { SocketBuffers } from './socket-buffers.ts';

/** A socket whose client reads nothing. */
class Reader {
  /** What uWS has of it; seen by a look only. */
  buffered = 0;
  waitingBytes = 0;
  looks = 0;
  isCut = false;
  readonly #buffers: SocketBuffers;

  constructor(buffers: SocketBuffers) {
    this.#buffers = buffers;
    buffers.add(this);
  }

  look(): void {
    this.looks += 1;
    const before = this.waitingBytes;
    this.waitingBytes = this.buffered;
    this.#buffers.move(this.buffered - before);
  }

  cut(): void {
    this.isCut = true;
    this.#buffers.remove(this);
    this.#buffers.move(-this.waitingBytes);
  }
}

const later = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

test('above the limit those who read worst are closed, no more of them than is needed', async () => {
  const buffers = new SocketBuffers(1_000);
  const readers = [300, 100, 500, 0].map((bytes) => Object.assign(new Reader(buffers), { buffered: bytes }));
  const [first, , worst] = readers as [Reader, Reader, Reader];
  expect(buffers.bytes()).toBe(900);
  await later();
  expect(readers.filter(({ isCut }) => isCut)).toEqual([]);
  first.buffered += 101;
  first.look();
  await later();
  expect(readers.filter(({ isCut }) => isCut)).toEqual([worst]);
  expect(buffers.bytes()).toBe(501);
});

test('what is published is seen by looks, one of all sockets for each portion, whatever the number of messages', async () => {
  const buffers = new SocketBuffers(4_000);
  const [reader, other] = [new Reader(buffers), new Reader(buffers)];
  const publish = async (messages: number, bytes: number) => {
    for (let count = 0; count < messages; count += 1) {
      reader.buffered += bytes;
      buffers.onPublished(bytes);
      await later();
    }
  };
  await publish(99, 10);
  expect([reader.looks, other.looks]).toEqual([0, 0]);
  await publish(101, 10);
  expect([reader.looks, other.looks]).toEqual([2, 2]);
  await publish(2, 1_000);
  expect([reader.isCut, reader.looks]).toEqual([false, 4]);
  await publish(1, 1_000);
  expect([reader.isCut, other.isCut]).toEqual([true, false]);
});
