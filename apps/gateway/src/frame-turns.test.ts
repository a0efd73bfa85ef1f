import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { until } from '@hooligram/testkit';
import { expect, test } from '@jest/globals';
import { type FrameReader, FrameTurns, type WaitingFrame } from './frame-turns.ts';

type Read = { readonly name: string; readonly frame: number };

/** A connection that notes what is read of it. */
function reader(name: string, reads: Read[], isSignedIn = true): FrameReader {
  return {
    ...{ isSignedIn, turn: 0, units: 0 },
    readWaiting: ({ bytes }) => void reads.push({ name, frame: bytes[0] ?? -1 }),
  };
}

function frame(number: number): WaitingFrame {
  return { bytes: Uint8Array.of(number), judgement: 'read' };
}

/** Frames that come in one turn: those that are read at once are noted, the others wait. */
function come(turns: FrameTurns, from: FrameReader, count: number): number {
  let readAtOnce = 0;
  for (let number = 0; number < count; number += 1) {
    if (turns.readsNow(from, 100)) readAtOnce += 1;
    else turns.wait(from, frame(number));
  }
  return readAtOnce;
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

const noneWaits = (turns: FrameTurns) => until('no frame waits', () => turns.waiting === 0);

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** How many of these are still in memory. */
async function kept(references: readonly WeakRef<object>[]): Promise<number> {
  // What was looked at in this turn stays until the next one.
  await nextTurn();
  collectGarbage();
  return references.filter((reference) => reference.deref() !== undefined).length;
}

/** A clock on which each look takes a millisecond. */
function slowClock(): () => number {
  let now = 0;
  return () => {
    now += 1;
    return now;
  };
}

test('what a connection sends beyond its part of a turn waits, and is read later in its order', async () => {
  const reads: Read[] = [];
  const turns = new FrameTurns(slowClock());
  const flooder = reader('flooder', reads);
  expect(come(turns, flooder, 200)).toBe(64);
  expect(turns.waiting).toBe(136);
  // One that comes later does not overtake.
  await nextTurn();
  expect(turns.readsNow(flooder, 100)).toBe(false);
  await noneWaits(turns);
  expect(reads.map((read) => read.frame)).toEqual(Array.from({ length: 136 }, (_, n) => n + 64));
  expect(turns.readsNow(flooder, 100)).toBe(true);
});

test('others are read at once in the turn in which somebody floods', () => {
  const turns = new FrameTurns();
  for (let n = 0; n < 20; n += 1) come(turns, reader(`flooder ${n}`, []), 200);
  expect(come(turns, reader('other', []), 8)).toBe(8);
});

test('a few milliseconds a turn are spent on what waits, and connections take turns', async () => {
  const reads: Read[] = [];
  const turns = new FrameTurns(slowClock());
  const readers = ['a', 'b', 'c'].map((name) => reader(name, reads));
  for (const from of readers) {
    for (let n = 0; n < 16; n += 1) turns.wait(from, frame(n));
  }
  await nextTurn();
  const inOneTurn = reads.length;
  expect(inOneTurn).toBeLessThan(48);
  await noneWaits(turns);
  const runs = reads.filter(({ name }, at) => reads[at - 1]?.name !== name).map(({ name }) => name);
  expect(runs).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
});

test('a large frame counts for many small ones', () => {
  const turns = new FrameTurns();
  const from = reader('large', []);
  let readAtOnce = 0;
  for (let n = 0; n < 100; n += 1) if (turns.readsNow(from, 60_000)) readAtOnce += 1;
  expect(readAtOnce).toBeGreaterThan(0);
  expect(readAtOnce).toBeLessThanOrEqual(8);
});

test('connections on which nobody is signed in share little of a turn, and are read behind the others', async () => {
  const reads: Read[] = [];
  const turns = new FrameTurns(slowClock());
  let readAtOnce = 0;
  for (let n = 0; n < 500; n += 1) readAtOnce += come(turns, reader('nobody', reads, false), 2);
  expect(readAtOnce).toBe(32);
  const somebody = reader('somebody', reads);
  for (let n = 0; n < 8; n += 1) turns.wait(somebody, frame(n));
  await nextTurn();
  expect(reads.slice(0, 8).every(({ name }) => name === 'somebody')).toBe(true);
  expect(reads.length).toBeGreaterThan(8);
  await noneWaits(turns);
  expect(reads).toHaveLength(1_000 - 32 + 8);
});

test('connections on which nobody is signed in are read for a small part of the time, however short the turns are', async () => {
  const reads: Read[] = [];
  let now = 0;
  const turns = new FrameTurns(() => now);
  let atOnce = 0;
  const nobodies = Array.from({ length: 100 }, (_, n) => reader(`nobody ${n}`, reads, false));
  for (const nobody of nobodies) atOnce += come(turns, nobody, 100);
  // Of somebody who is signed in all is read meanwhile.
  const somebody = reader('somebody', [], true);
  for (let turn = 0; turn < 1_000; turn += 1) {
    now += 0.05;
    expect(turns.readsNow(somebody, 100)).toBe(true);
    await nextTurn();
  }
  const inAll = atOnce + reads.length;
  // 32 at once, twice since the clock is asked late; then two a millisecond, more.
  expect(inAll).toBeLessThanOrEqual(2 * 32 + 50 * 2);
  expect(inAll).toBeGreaterThanOrEqual(50 * 2);
  // Each of them has its turn.
  expect(new Set(reads.map(({ name }) => name)).size).toBeGreaterThan(8);
  for (const nobody of nobodies) turns.leave(nobody);
});

test('behind 4,000 connections on which nobody is signed in a frame is read within two seconds, whatever those send', async () => {
  const reads: Read[] = [];
  let now = 0;
  const turns = new FrameTurns(() => now);
  const large: WaitingFrame = { bytes: new Uint8Array(65_536), judgement: 'read' };
  const flooders = Array.from({ length: 4_000 }, (_, n) => reader(`flooder ${n}`, reads, false));
  for (const [n, flooder] of flooders.entries()) {
    turns.wait(flooder, n % 2 === 0 ? large : frame(0));
    for (let more = 1; more < 8; more += 1) turns.wait(flooder, frame(more));
  }
  turns.wait(reader('honest', reads, false), frame(0));
  // Keeps the event loop awake, so that the test waits for no timer.
  const somebody = reader('somebody', []);
  while (!reads.some(({ name }) => name === 'honest') && now < 60_000) {
    now += 5;
    turns.readsNow(somebody, 100);
    await nextTurn();
  }
  expect(now).toBeLessThanOrEqual(2_005);
  for (const flooder of flooders) turns.leave(flooder);
});

test('a large frame of a connection on which nobody is signed in is read in its order, and nobody else waits for it', async () => {
  const reads: Read[] = [];
  let now = 0;
  const turns = new FrameTurns(() => now);
  const [large, other] = [reader('large', reads, false), reader('other', reads, false)];
  turns.wait(large, { bytes: new Uint8Array(65_536), judgement: 'read' });
  turns.wait(large, frame(1));
  for (let n = 0; n < 10; n += 1) turns.wait(other, frame(n));
  const somebody = reader('somebody', []);
  while (turns.waiting > 0 && now < 1_000) {
    now += 1;
    turns.readsNow(somebody, 100);
    await nextTurn();
  }
  expect(reads.map(({ name }) => name)).toEqual([...Array(10).fill('other'), 'large', 'large']);
  expect(reads.slice(10).map((read) => read.frame)).toEqual([0, 1]);
});

test('who signed in meanwhile leaves the line of the others, and is read on in order', async () => {
  const reads: Read[] = [];
  let now = 0;
  const turns = new FrameTurns(() => now);
  const from = { ...reader('new', reads, false), isSignedIn: false };
  for (let n = 0; n < 200; n += 1) turns.wait(from, frame(n));
  await nextTurn();
  expect(reads).toHaveLength(32);
  from.isSignedIn = true;
  now = 1;
  turns.readsNow(reader('somebody', []), 100);
  await nextTurn();
  await nextTurn();
  expect(reads.map((read) => read.frame)).toEqual(Array.from({ length: 200 }, (_, n) => n));
});

test('what waits of a connection that leaves, also while it is read, is forgotten', async () => {
  const reads: Read[] = [];
  const turns = new FrameTurns();
  const gone = reader('gone', reads);
  const closing: FrameReader = {
    ...reader('closing', reads),
    readWaiting: () => void turns.leave(closing),
  };
  for (let n = 0; n < 10; n += 1) {
    turns.wait(gone, frame(n));
    turns.wait(closing, frame(n));
  }
  expect(turns.leave(gone)).toHaveLength(10);
  expect(turns.waiting).toBe(10);
  await nextTurn();
  expect(turns.waiting).toBe(0);
  expect(reads).toEqual([]);
});

test('neither frames that were read nor connections that have left stay in memory', async () => {
  const turns = new FrameTurns(() => 0);
  const wait = (from: FrameReader, count: number) =>
    Array.from({ length: count }, () => {
      const waiting = frame(0);
      turns.wait(from, waiting);
      return new WeakRef(waiting);
    });
  const comeAndLeave = (isSignedIn: boolean) => {
    const from = reader('gone', [], isSignedIn);
    const frames = wait(from, 4);
    turns.leave(from);
    return [new WeakRef(from), ...frames];
  };
  const gone = Array.from({ length: 20 }, () => [comeAndLeave(true), comeAndLeave(false)]).flat(2);
  expect(await kept(gone)).toBe(0);
  const staying = reader('staying', []);
  const frames = wait(staying, 10);
  await noneWaits(turns);
  expect(await kept(frames)).toBe(0);
});
