import { randomUUID } from 'node:crypto';
import { isEpoch, type RequestWriter, type WriteFailure } from '@hooligram/bus';
import {
  type AnswerOf,
  type CoreAnswer,
  type CoreRequest,
  type Outcome,
  type ParamsOf,
  type RequestType,
  readAnswers,
  UnreadableError,
} from '@hooligram/contract';
import { errorTexts } from '@hooligram/protocol';

/**
 * What the core answered. `isUnknown`: no answer came in time, so the request may or may not have had its
 * effect; saying FAILURE would be a lie.
 */
export type Reply<K extends RequestType> =
  | { readonly ok: true; readonly answer: AnswerOf<K> }
  | { readonly ok: false; readonly errors: readonly string[]; readonly isUnknown?: true };

/** The core, for what knows one epoch of the database alone. */
export type Core = {
  /**
   * Asks the core. Never throws.
   * @param requestId makes a repetition safe; a new one unless given
   * @param run whose order counts: what is asked for the same one in a row is handled in that order
   */
  ask<K extends RequestType>(
    type: K,
    params: ParamsOf<K>,
    requestId?: string,
    run?: object,
  ): Promise<Reply<K>>;
};

export type CoreClient = {
  /** For what knows this epoch of the database: what the core read in another one is an unknown outcome. */
  within(epoch: number): Core;
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
  /** Of the database, as far as the one who asked knows. */
  readonly epoch: number;
  readonly run: object | undefined;
  readonly repeatsAt: number;
  readonly givesUpAt: number;
  /** How many of its entries may be in the stream. At 0 it is certain that nothing happened. */
  entries: number;
  resolve(reply: Reply<never>): void;
};

/** What these answer has its place among what was read before. The others are true for whoever asked. */
const reads: ReadonlySet<RequestType> = new Set<RequestType>([
  'AUTHORIZATION_SIGN_IN',
  'REPLAY_GROUPS',
  'REPLAY_PAGE',
  'MESSAGE_LOOKUP',
  'GROUP_IDS',
  'OVERDUE_REPORT',
]);

const sweepMs = 250;

/**
 * Requests of clients. What Redis refuses of them is answered at once. The gateway's own have nobody who waits for a
 * FAILURE: they wait themselves until Redis takes writes again, instead of failing and asking again at once.
 */
const clientKinds: ReadonlySet<RequestType> = new Set([
  'VERIFICATION_REQUEST_CODE',
  'VERIFICATION_SUBMIT_CODE',
  'AUTHORIZATION_SIGN_IN',
  'GROUP_CREATE',
  'GROUP_LEAVE',
  'GROUP_ADD_MEMBER',
  'MESSAGING_SEND',
] satisfies RequestType[]);
const busy = { ok: false, errors: [errorTexts.serverBusy.text] } as const;
const unknown = { ...busy, isUnknown: true } as const;

/**
 * Every request has an id that makes a second run answer what the first one did, so a request whose answer does
 * not come is written again before it is given up: the entry, its answer, or all of Redis may be lost.
 *
 * @param repeatMs when a request without answer is written again; more than its deadline, so that the first
 *   entry can no longer begin
 * @param patienceMs when it is given up; more than the second entry may take
 * @param epoch of the database, now. An answer of an earlier one is none: what it tells of is gone, so the request is
 *   written again when it is due
 * @param onEpoch an answer tells of a later one: afterwards `epoch` is that
 */
export function createCoreClient({
  writer,
  repeatMs,
  patienceMs,
  onRepeated,
  epoch,
  onEpoch,
}: {
  writer: RequestWriter<CoreRequest>;
  repeatMs: number;
  patienceMs: number;
  onRepeated(): void;
  epoch(): number;
  onEpoch(epoch: number): void;
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

  function answered({ ref, epoch: of = 0, ...outcome }: CoreAnswer): void {
    if (of > epoch() && isEpoch(of)) onEpoch(of);
    if (of === epoch()) settle(ref, outcome, of);
  }

  /** @param of the epoch in which the core answered */
  function settle(ref: number, reply: Outcome | typeof unknown, of?: number): void {
    const waiting = find(ref);
    if (!waiting) return;
    fresh.delete(ref);
    repeated.delete(ref);
    const isOfAnother = of !== undefined && of !== waiting.epoch && reads.has(waiting.request.type);
    waiting.resolve((isOfAnother ? unknown : reply) as Reply<never>);
  }

  return {
    within: (of) => ({
      ask(type, params, requestId = randomUUID(), run) {
        lastRef += 1;
        const ref = lastRef;
        const request = { ref, request_id: requestId, type, params } as unknown as CoreRequest;
        return new Promise((resolve) => {
          const now = Date.now();
          const times = { repeatsAt: now + repeatMs, givesUpAt: now + patienceMs };
          const waiting = { request, epoch: of, run, ...times, entries: 0, resolve };
          fresh.set(ref, waiting);
          write(waiting);
        });
      },
    }),
    onAnswers(bytes) {
      const { answers, unreadable } = readAnswers(bytes, (ref) => find(ref)?.request.type);
      for (const answer of answers) answered(answer);
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
          failure === 'full' || (failure === 'refused' && clientKinds.has(waiting.request.type));
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
