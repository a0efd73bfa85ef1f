import { randomUUID } from 'node:crypto';
import type { RequestWriter, WriteFailure } from '@hooligram/bus';
import {
  type AnswerOf,
  type CoreRequest,
  type Outcome,
  type ParamsOf,
  type RequestKind,
  readAnswers,
  UnreadableError,
} from '@hooligram/contract';
import { errorTexts } from '@hooligram/protocol';

/**
 * What the core answered. `isUnknown`: no answer came in time, so the request may or may not have had its
 * effect; saying FAILURE would be a lie.
 */
export type Reply<K extends RequestKind> =
  | { readonly ok: true; readonly answer: AnswerOf<K> }
  | { readonly ok: false; readonly errors: readonly string[]; readonly isUnknown?: true };

export type CoreClient = {
  /**
   * Asks the core. Never throws.
   * @param requestId makes a repetition safe; a new one unless given
   * @param run whose order counts: what is asked for the same one in a row is handled in that order
   */
  ask<K extends RequestKind>(
    kind: K,
    params: ParamsOf<K>,
    requestId?: string,
    run?: object,
  ): Promise<Reply<K>>;
  /**
   * Takes one publication of the node's own channel. An answer that cannot be read is none: its request is written
   * again when it is due.
   * @throws UnreadableError once all that can be read is taken
   */
  onAnswers(bytes: Buffer): void;
  /** Takes back what could not be written. */
  onWriteFailed(requests: readonly CoreRequest[], failure: WriteFailure): void;
  /** Writes everything again: after a break, requests, entries or answers may be lost. */
  repeatAll(): void;
  readonly pending: number;
  close(): void;
};

type Waiting = {
  readonly request: CoreRequest;
  readonly run: object | undefined;
  readonly repeatsAt: number;
  readonly givesUpAt: number;
  /** How many of its entries may be in the stream. At 0 it is certain that nothing happened. */
  entries: number;
  resolve(reply: Reply<never>): void;
};

const sweepMs = 250;

/**
 * Requests of clients. What Redis refuses of them is answered at once. The gateway's own have nobody who waits for a
 * FAILURE: they wait themselves until Redis takes writes again, instead of failing and asking again at once.
 */
const clientKinds: ReadonlySet<RequestKind> = new Set([
  'VERIFICATION_REQUEST_CODE',
  'VERIFICATION_SUBMIT_CODE',
  'AUTHORIZATION_SIGN_IN',
  'GROUP_CREATE',
  'GROUP_LEAVE',
  'GROUP_ADD_MEMBER',
  'MESSAGING_SEND',
] satisfies RequestKind[]);
const busy = { ok: false, errors: [errorTexts.serverBusy.text] } as const;
const unknown = { ...busy, isUnknown: true } as const;

/**
 * Every request has an id that makes a second run answer what the first one did, so a request whose answer does
 * not come is written again before it is given up: the entry, its answer, or all of Redis may be lost.
 *
 * @param repeatMs when a request without answer is written again; more than its deadline, so that the first
 *   entry can no longer begin
 * @param patienceMs when it is given up; more than the second entry may take
 */
export function createCoreClient({
  writer,
  repeatMs,
  patienceMs,
  onRepeated,
}: {
  writer: RequestWriter<CoreRequest>;
  repeatMs: number;
  patienceMs: number;
  onRepeated(): void;
}): CoreClient {
  // All have the same patience, so both are ordered by time: the first is the next to be due.
  const fresh = new Map<number, Waiting>();
  const repeated = new Map<number, Waiting>();
  let lastRef = 0;

  // Answers that arrived while the process was stalled are read before anything is given up: timers run before
  // sockets are read, so one more turn is granted.
  const sweeping = setInterval(() => setImmediate(() => setImmediate(sweep)), sweepMs);

  function sweep(): void {
    const now = Date.now();
    for (const [ref, waiting] of repeated) {
      if (waiting.givesUpAt > now) break;
      settle(ref, waiting.entries > 0 ? unknown : busy);
    }
    let run: object | undefined;
    for (const [ref, waiting] of fresh) {
      // A run is not parted: what was asked a moment later goes with what is due.
      if (waiting.repeatsAt > now && (!run || waiting.run !== run)) break;
      run = waiting.run;
      fresh.delete(ref);
      repeated.set(ref, waiting);
      onRepeated();
      write(waiting);
    }
  }

  function find(ref: number): Waiting | undefined {
    return fresh.get(ref) ?? repeated.get(ref);
  }

  function write(waiting: Waiting): void {
    waiting.entries += 1;
    writer.add(waiting.request, waiting.run);
  }

  function settle(ref: number, reply: Outcome | typeof unknown): void {
    const waiting = find(ref);
    if (!waiting) return;
    fresh.delete(ref);
    repeated.delete(ref);
    waiting.resolve(reply as Reply<never>);
  }

  return {
    ask(kind, params, requestId = randomUUID(), run) {
      lastRef += 1;
      const ref = lastRef;
      const request = { ref, request_id: requestId, kind, params } as unknown as CoreRequest;
      return new Promise((resolve) => {
        const now = Date.now();
        const times = { repeatsAt: now + repeatMs, givesUpAt: now + patienceMs };
        const waiting = { request, run, ...times, entries: 0, resolve };
        fresh.set(ref, waiting);
        write(waiting);
      });
    },
    onAnswers(bytes) {
      const { answers, unreadable } = readAnswers(bytes, (ref) => find(ref)?.request.kind);
      for (const { ref, ...outcome } of answers) settle(ref, outcome);
      if (unreadable > 0) throw new UnreadableError(`${unreadable} answers`);
    },
    onWriteFailed(requests, failure) {
      if (failure === 'uncertain') return;
      for (const { ref } of requests) {
        const waiting = find(ref);
        if (!waiting) continue;
        waiting.entries -= 1;
        // What was not sent is written when the connection is back, or when it is due to be repeated.
        const isAnswered =
          failure === 'full' || (failure === 'refused' && clientKinds.has(waiting.request.kind));
        if (isAnswered && waiting.entries === 0) settle(ref, busy);
      }
    },
    repeatAll() {
      for (const waiting of [...repeated.values(), ...fresh.values()]) {
        onRepeated();
        write(waiting);
      }
    },
    get pending() {
      return fresh.size + repeated.size;
    },
    close() {
      clearInterval(sweeping);
      for (const [ref, { entries }] of [...fresh, ...repeated]) settle(ref, entries > 0 ? unknown : busy);
    },
  };
}
