import type { FirstJudgement } from './limits/connection-limits.ts';

/** What a frame weighs: one, and one more for each 4 KiB. Reading one costs some 15 µs, a large one some 0.3 ms. */
const unitBytes = 4_096;
/** So much is read of every connection in the turn of the event loop in which it comes. */
const ownUnits = 8;
/** So much of one that sends more, as long as all of those have not used up what they share: a burst stays together. */
const burstUnits = 64;
const sharedUnits = 128;
/** The same for a connection on which nobody is signed in, and for all of those. */
const unsignedOwnUnits = 4;
const unsignedUnits = 32;
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

/** Readers that have frames waiting, in the order of their turns. */
class Line {
  readonly #readers = new Map<FrameReader, WaitingFrame[]>();

  get isEmpty(): boolean {
    return this.#readers.size === 0;
  }

  framesOf(reader: FrameReader): WaitingFrame[] | undefined {
    return this.#readers.get(reader);
  }

  set(reader: FrameReader, frames: WaitingFrame[]): void {
    this.#readers.set(reader, frames);
  }

  /** @returns what waited of it */
  remove(reader: FrameReader): WaitingFrame[] {
    const frames = this.#readers.get(reader) ?? [];
    this.#readers.delete(reader);
    return frames;
  }

  /** @returns whose turn it is, and makes the next one's turn the next */
  next(): [FrameReader, WaitingFrame[]] | undefined {
    const [first] = this.#readers;
    if (!first) return undefined;
    const [reader, frames] = first;
    this.#readers.delete(reader);
    this.#readers.set(reader, frames);
    return first;
  }
}

/**
 * How much is read of each connection in one turn of the event loop.
 *
 * uWebSockets.js reads half a mebibyte of a socket at a time and hands over all its frames at once, and so with the next
 * socket. So twenty clients that send as fast as they can would hold everybody for a fifth of a second. Here a connection
 * is read a little at once; what is beyond waits, is copied, and is read in later turns, connections in turn. Those on
 * which nobody is signed in share less. The frames of one connection stay in their order.
 */
export class FrameTurns {
  readonly #nowMs: () => number;
  readonly #signedIn = new Line();
  readonly #unsigned = new Line();
  #turn = 1;
  #isOpen = false;
  #sharedUsed = 0;
  #unsignedUsed = 0;
  #waiting = 0;

  /** @param nowMs a clock that never goes back */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
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
    const line = this.#lineOf(reader);
    if (line) line.framesOf(reader)?.push(frame);
    else (reader.isSignedIn ? this.#signedIn : this.#unsigned).set(reader, [frame]);
  }

  /** @returns the frames of a connection that waited; they are forgotten */
  leave(reader: FrameReader): readonly WaitingFrame[] {
    const frames = this.#lineOf(reader)?.remove(reader) ?? [];
    this.#waiting -= frames.length;
    return frames;
  }

  #takes(reader: FrameReader, units: number): boolean {
    if (!reader.isSignedIn) {
      if (reader.units >= unsignedOwnUnits || this.#unsignedUsed >= unsignedUnits) return false;
      this.#unsignedUsed += units;
      return true;
    }
    if (reader.units < ownUnits) return true;
    if (reader.units >= burstUnits || this.#sharedUsed >= sharedUnits) return false;
    this.#sharedUsed += units;
    return true;
  }

  #lineOf(reader: FrameReader): Line | undefined {
    if (this.#signedIn.framesOf(reader)) return this.#signedIn;
    return this.#unsigned.framesOf(reader) ? this.#unsigned : undefined;
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
    this.#unsignedUsed = 0;
    if (this.#waiting === 0) return;
    this.#open();
    const isAlone = this.#signedIn.isEmpty;
    this.#read(this.#signedIn, turnMs);
    this.#read(this.#unsigned, isAlone ? unsignedAloneMs : unsignedBesideMs);
  }

  #read(line: Line, forMs: number): void {
    if (line.isEmpty) return;
    const untilMs = this.#nowMs() + forMs;
    do {
      const next = line.next();
      if (!next) return;
      const [reader, frames] = next;
      let units = 0;
      let read = 0;
      // Reading may close the connection, which leaves the line then.
      while (read < frames.length && units < ownUnits && line.framesOf(reader) === frames) {
        const frame = frames[read] as WaitingFrame;
        read += 1;
        units += unitsOf(frame.bytes.byteLength);
        reader.readWaiting(frame);
      }
      if (line.framesOf(reader) !== frames) continue;
      this.#waiting -= read;
      frames.splice(0, read);
      if (frames.length === 0) line.remove(reader);
    } while (this.#nowMs() < untilMs);
  }
}

function unitsOf(byteLength: number): number {
  return 1 + Math.floor(byteLength / unitBytes);
}
