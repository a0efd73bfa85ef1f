import type { FirstJudgement } from './limits/connection-limits.ts';
import { Queue } from './queue.ts';

/** What a frame weighs: one, and one more for each 4 KiB. Reading one costs some 15 µs, a large one some 0.3 ms. */
const unitBytes = 4_096;
/** So much is read of every connection in the turn of the event loop in which it comes. */
const ownUnits = 8;
/** So much of one that sends more, as long as all of those have not used up what they share: a burst stays together. */
const burstUnits = 64;
const sharedUnits = 128;
/** The same for a connection on which nobody is signed in. */
const unsignedOwnUnits = 4;
/**
 * All of those share so much at once, and so much more with each millisecond: some 5 percent of the time, and twice as many
 * sign-ins as handshakes are let in. Turns of a quiet event loop are short, so a part of each turn would be most of the time.
 */
const unsignedUnits = 32;
const unsignedUnitsPerMs = 2;
/** So long nothing of them is read when they have used that up. */
const unsignedPauseMs = 5;
/** How long frames that waited are read in one turn. */
const turnMs = 3;
/** How long those of connections on which nobody is signed in, where others wait and where not. */
const unsignedBesideMs = 1;
const unsignedAloneMs = 2;

/** A connection, as one whose frames take turns with those of others. */
export type FrameReader = {
  readonly isSignedIn: boolean;
  /** The newest turn in which something of it was read, and how much. Only `FrameTurns` writes them. */
  turn: number;
  units: number;
  readWaiting(frame: WaitingFrame): void;
};

/** A frame that waits, in memory of its own, and what the limits said about it when it came. */
export type WaitingFrame = { readonly bytes: Uint8Array; readonly judgement: FirstJudgement };

/** The frames of one reader that wait, in their order. */
class Waiting {
  readonly reader: FrameReader;
  readonly #frames = new Queue<WaitingFrame>();
  /** Units of turns in which the next frame was too large. */
  #saved = 0;

  constructor(reader: FrameReader) {
    this.reader = reader;
  }

  get isEmpty(): boolean {
    return this.#frames.size === 0;
  }

  push(frame: WaitingFrame): void {
    this.#frames.push(frame);
  }

  take(): WaitingFrame | undefined {
    return this.#frames.shift();
  }

  /** A turn of one unit: a frame of more is taken in the last of as many. */
  takeInTurns(): WaitingFrame | undefined {
    const frame = this.#frames.first();
    if (!frame) return undefined;
    this.#saved += 1;
    if (this.#saved < unitsOf(frame.bytes.byteLength)) return undefined;
    this.#saved = 0;
    return this.take();
  }

  takeAll(): readonly WaitingFrame[] {
    const left: WaitingFrame[] = [];
    for (let frame = this.take(); frame; frame = this.take()) left.push(frame);
    return left;
  }
}

/** Readers that have frames waiting, in the order of their turns. */
class Line {
  readonly #byReader = new Map<FrameReader, Waiting>();
  /** Also of those that have left, until it would be their turn, or nobody waits any more. */
  #turns = new Queue<Waiting>();

  get isEmpty(): boolean {
    return this.#byReader.size === 0;
  }

  find(reader: FrameReader): Waiting | undefined {
    return this.#byReader.get(reader);
  }

  enter(reader: FrameReader, waiting = new Waiting(reader)): Waiting {
    this.#byReader.set(reader, waiting);
    this.#turns.push(waiting);
    return waiting;
  }

  leave(reader: FrameReader): void {
    this.#byReader.delete(reader);
    if (this.isEmpty) this.#turns = new Queue();
  }

  /** @returns whose turn it is */
  next(): Waiting | undefined {
    for (;;) {
      const waiting = this.#turns.shift();
      if (!waiting || this.#byReader.get(waiting.reader) === waiting) return waiting;
    }
  }

  /** Its turn is over: it comes behind the others, or leaves when nothing waits. */
  turnIsOver(waiting: Waiting): void {
    const { reader } = waiting;
    if (this.#byReader.get(reader) !== waiting) return;
    if (waiting.isEmpty) this.leave(reader);
    else this.#turns.push(waiting);
  }
}

/**
 * How much is read of each connection in one turn of the event loop.
 *
 * uWebSockets.js reads half a mebibyte of a socket at a time and hands over all its frames at once, and so with the next
 * socket. So twenty clients that send as fast as they can would hold everybody for a fifth of a second. Here a connection
 * is read a little at once; what is beyond waits, is copied, and is read in later turns, connections in turn. Those on
 * which nobody is signed in share a small part of the time, however many they are: who signs in sends a frame or three.
 * The frames of one connection stay in their order.
 */
export class FrameTurns {
  readonly #nowMs: () => number;
  readonly #signedIn = new Line();
  readonly #unsigned = new Line();
  #turn = 1;
  #isOpen = false;
  #sharedUsed = 0;
  #unsignedLeft = unsignedUnits;
  #filledAtMs: number;
  #pause: NodeJS.Timeout | undefined;
  #waiting = 0;

  /** @param nowMs a clock that never goes back */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
    this.#filledAtMs = nowMs();
  }

  /** How many frames wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Whether frames of this connection wait: no other one of it may overtake them. */
  hasWaiting(reader: FrameReader): boolean {
    return this.#waiting > 0 && this.#lineOf(reader) !== undefined;
  }

  /** Whether a frame that has just come is read now, and counts it if so; else it has to `wait`. */
  readsNow(reader: FrameReader, byteLength: number): boolean {
    if (this.hasWaiting(reader)) return false;
    this.#open();
    if (reader.turn !== this.#turn) {
      reader.turn = this.#turn;
      reader.units = 0;
    }
    const units = unitsOf(byteLength);
    if (!this.#takes(reader, units)) return false;
    reader.units += units;
    return true;
  }

  /** The frame is handed to `readWaiting` when its turn has come. */
  wait(reader: FrameReader, frame: WaitingFrame): void {
    this.#open();
    this.#waiting += 1;
    const line = this.#lineOf(reader) ?? (reader.isSignedIn ? this.#signedIn : this.#unsigned);
    (line.find(reader) ?? line.enter(reader)).push(frame);
  }

  /** @returns the frames of a connection that waited; they are forgotten */
  leave(reader: FrameReader): readonly WaitingFrame[] {
    const line = this.#waiting > 0 ? this.#lineOf(reader) : undefined;
    const frames = line?.find(reader)?.takeAll() ?? [];
    line?.leave(reader);
    this.#waiting -= frames.length;
    return frames;
  }

  #takes(reader: FrameReader, units: number): boolean {
    if (!reader.isSignedIn) {
      if (reader.units >= unsignedOwnUnits || this.#unsignedLeft < units) return false;
      this.#unsignedLeft -= units;
      return true;
    }
    if (reader.units < ownUnits) return true;
    if (reader.units >= burstUnits || this.#sharedUsed >= sharedUnits) return false;
    this.#sharedUsed += units;
    return true;
  }

  #lineOf(reader: FrameReader): Line | undefined {
    if (this.#signedIn.find(reader)) return this.#signedIn;
    return this.#unsigned.find(reader) ? this.#unsigned : undefined;
  }

  /** Behind all that comes in this turn. */
  #open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    setImmediate(() => this.#end());
  }

  #end(): void {
    this.#isOpen = false;
    this.#turn += 1;
    this.#sharedUsed = 0;
    this.#fillUnsigned();
    if (this.#waiting === 0) return;
    const isAlone = this.#signedIn.isEmpty;
    this.#readSignedIn();
    this.#readUnsigned(isAlone ? unsignedAloneMs : unsignedBesideMs);
    if (this.#waiting === 0) return;
    if (this.#signedIn.isEmpty && this.#unsignedLeft < 1) this.#openLater();
    else this.#open();
  }

  /** Nothing may be read before: until then the event loop is not kept awake. */
  #openLater(): void {
    this.#pause ??= setTimeout(() => {
      this.#pause = undefined;
      this.#open();
    }, unsignedPauseMs);
  }

  #fillUnsigned(): void {
    if (this.#unsignedLeft >= unsignedUnits) return;
    const nowMs = this.#nowMs();
    const more = (nowMs - this.#filledAtMs) * unsignedUnitsPerMs;
    this.#unsignedLeft = Math.min(unsignedUnits, this.#unsignedLeft + more);
    this.#filledAtMs = nowMs;
  }

  #readSignedIn(): void {
    if (this.#signedIn.isEmpty) return;
    const untilMs = this.#nowMs() + turnMs;
    do {
      if (this.#readTurn() === 0) return;
    } while (this.#nowMs() < untilMs);
  }

  /**
   * One unit of each in turn, whatever the others send: behind 4,000 connections one waits for two seconds. A large frame
   * waits for more turns, and nobody else waits for it.
   */
  #readUnsigned(forMs: number): void {
    if (this.#unsigned.isEmpty || this.#unsignedLeft < 1) return;
    const untilMs = this.#nowMs() + forMs;
    do {
      const waiting = this.#unsigned.next();
      if (!waiting) return;
      if (waiting.reader.isSignedIn) {
        this.#unsigned.leave(waiting.reader);
        this.#signedIn.enter(waiting.reader, waiting);
        continue;
      }
      this.#unsignedLeft -= 1;
      const frame = waiting.takeInTurns();
      if (frame) {
        this.#waiting -= 1;
        waiting.reader.readWaiting(frame);
      }
      this.#unsigned.turnIsOver(waiting);
    } while (this.#unsignedLeft >= 1 && this.#nowMs() < untilMs);
  }

  /** Reads a little of the connection whose turn it is. @returns how much; 0 if none waits */
  #readTurn(): number {
    const waiting = this.#signedIn.next();
    if (!waiting) return 0;
    let units = 0;
    while (units < ownUnits) {
      // Reading one may close the connection, which forgets the others then.
      const frame = waiting.take();
      if (!frame) break;
      this.#waiting -= 1;
      units += unitsOf(frame.bytes.byteLength);
      waiting.reader.readWaiting(frame);
    }
    this.#signedIn.turnIsOver(waiting);
    return units;
  }
}

function unitsOf(byteLength: number): number {
  return 1 + Math.floor(byteLength / unitBytes);
}
