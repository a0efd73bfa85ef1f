import { expect, test } from '@jest/globals';
import { SocketBuffers } from './socket-buffers.ts';

/** A socket whose client reads nothing. */
class Reader {
  /** What uWS has of it; seen by a look only. */
  buffered = 0;
  waitingBytes = 0;
  looks = 0;
  isCut = false;
  /** Of all that was published, what nobody has looked for here. */
  unseenBytes = 0;
  readonly #buffers: SocketBuffers;

  constructor(buffers: SocketBuffers) {
    this.#buffers = buffers;
    buffers.add(this);
  }

  look(): void {
    this.looks += 1;
    this.unseenBytes = 0;
    this.#wait(this.buffered);
  }

  cut(): void {
    this.isCut = true;
    this.close();
  }

  close(): void {
    this.#buffers.remove(this);
    this.#wait(0);
  }

  #wait(bytes: number): void {
    const before = this.waitingBytes;
    this.waitingBytes = bytes;
    if (bytes !== before) this.#buffers.move(this, bytes - before);
  }
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

async function later(): Promise<void> {
  await nextTurn();
  await nextTurn();
}

test('above the limit those who read worst are closed, no more of them than is needed', async () => {
  const buffers = new SocketBuffers(1_000);
  const readers = [300, 100, 500, 0].map((bytes) => Object.assign(new Reader(buffers), { buffered: bytes }));
  const [first, , worst] = readers as [Reader, Reader, Reader];
  for (const reader of readers) reader.look();
  expect([buffers.bytes, buffers.behind]).toEqual([900, 3]);
  await later();
  expect(readers.filter(({ isCut }) => isCut)).toEqual([]);
  first.buffered += 101;
  first.look();
  await later();
  expect(readers.filter(({ isCut }) => isCut)).toEqual([worst]);
  expect([buffers.bytes, buffers.behind]).toEqual([501, 2]);
});

test('who reads worst is told by what waits now, also where nobody has looked since it came', async () => {
  const buffers = new SocketBuffers(1_000);
  const readers = [600, 500, 0].map((bytes) => Object.assign(new Reader(buffers), { buffered: bytes }));
  const [more, less, unseen] = readers as [Reader, Reader, Reader];
  more.look();
  unseen.buffered = 1_100;
  less.look();
  expect(buffers.bytes).toBe(1_100);
  await later();
  expect([unseen.isCut, more.isCut, less.isCut]).toEqual([true, true, false]);
  expect([buffers.bytes, buffers.behind]).toEqual([500, 1]);
});

test('those who leave too much of what is published unread are closed', async () => {
  const buffers = new SocketBuffers(4_000);
  const readers = Array.from({ length: 10 }, () => new Reader(buffers));
  const [reader, ...others] = readers as [Reader, ...Reader[]];
  // A quarter of the limit may be unseen.
  for (let published = 0; published < 5_000; published += 10) {
    expect(published <= 4_000 && reader.isCut).toBe(false);
    reader.buffered += 10;
    buffers.onPublished(10);
    await later();
  }
  expect(reader.isCut).toBe(true);
  expect(others.filter(({ isCut }) => isCut)).toEqual([]);
  expect([buffers.bytes, buffers.behind]).toEqual([0, 0]);
});

/** Of numbers below a bound, the same in each run. */
function seededRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test('of what is published no more than the bytes of one look are unseen at any socket, whoever comes and goes, and no look is made in vain', async () => {
  const perLookBytes = 10_000;
  const messageBytesMax = 200;
  const random = seededRandom(7);
  const buffers = new SocketBuffers(4 * perLookBytes);
  const readers = Array.from({ length: 100 }, () => new Reader(buffers));
  let changes = readers.length;
  let due = 0;
  let looksOfGone = 0;
  const close = (reader: Reader | undefined) => {
    if (!reader) return;
    reader.close();
    looksOfGone += reader.looks;
    changes += 1;
  };
  for (let step = 0; step < 4_000; step += 1) {
    const bytes = 1 + random(messageBytesMax);
    for (const reader of readers) reader.unseenBytes += bytes;
    due += (bytes / perLookBytes) * readers.length;
    buffers.onPublished(bytes);
    await nextTurn();
    const unseenMax = perLookBytes * (1 + 2 / readers.length);
    if (readers.some(({ unseenBytes }) => unseenBytes > unseenMax)) throw new Error(`unseen at step ${step}`);
    // Some come and go; now and then half of all go, the oldest or the newest, or twice as many come.
    if (random(4) === 0) close(readers.splice(random(readers.length), 1)[0]);
    if (random(4) === 0) {
      readers.push(new Reader(buffers));
      changes += 1;
    }
    if (random(100) > 0) continue;
    const half = Math.ceil(readers.length / 2);
    if (readers.length > 50) for (const gone of readers.splice(random(2) * half, half - 1)) close(gone);
    else {
      const come = Array.from({ length: 2 * readers.length }, () => new Reader(buffers));
      readers.push(...come);
      changes += come.length;
    }
  }
  const looks = readers.reduce((sum, reader) => sum + reader.looks, looksOfGone);
  expect(looks).toBeLessThanOrEqual(1.05 * due + changes);
});

test('a look around sees every socket once, some of them in each turn, also when somebody asks for it again meanwhile', async () => {
  const buffers = new SocketBuffers(1_000_000);
  const readers = Array.from({ length: 1_000 }, () => new Reader(buffers));
  for (const reader of readers) Object.assign(reader, { buffered: 3, looks: 0 });
  const found: (readonly [number, number])[] = [];
  for (let turn = 0; turn < 5; turn += 1) {
    if (turn < 2) buffers.lookAround();
    await nextTurn();
    found.push([buffers.bytes, buffers.behind]);
  }
  expect(found).toEqual([
    [750, 250],
    [1_500, 500],
    [2_250, 750],
    [3_000, 1_000],
    [3_000, 1_000],
  ]);
  expect(readers.filter(({ looks }) => looks !== 1)).toEqual([]);
});
