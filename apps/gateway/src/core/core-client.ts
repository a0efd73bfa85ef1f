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
import type { RequestOutcome } from '../metrics.ts';
import { AnswerSizes, isLargeAnswer } from './answer-sizes.ts';
import { type AnswerSize, type Asker, Credit } from './credit.ts';
import { Repetition } from './repetition.ts';

/**
 * What the core replied. `isUnknown`: no answer came in time, so the request may or may not have had its
 * effect; saying FAILURE would be a lie.
 */
export type Reply<K extends RequestType> =
  | { readonly ok: true; readonly answer: AnswerOf<K> }
  | { readonly ok: false; readonly errors: readonly string[]; readonly isUnknown?: true };

/** The core, as one epoch of the database sees it. */
export type Core = {
  /**
   * Sends a request to the core. Never throws.
   * @param requestId makes a repetition safe; a new one unless given
   * @param burst whose order counts: consecutive requests of the same one are handled in their order
   * @param asker who takes turns with others for what has large answers; each request is one of its own unless given. If it is
   *   not open any more when its turn comes nothing is requested, and the reply is that the server is busy
   * @param trace the context of the span that it belongs to; undefined if it is not traced
   */
  request<K extends RequestType>(
    type: K,
    params: ParamsOf<K>,
    requestId?: string,
    burst?: object,
    asker?: Asker,
    trace?: string,
  ): Promise<Reply<K>>;
};

type Waiting = {
  /** As it is written first. A copy has a `ref` of its own. */
  readonly request: CoreRequest;
  /** Of the database, as far as the caller knows. */
  readonly epoch: number;
  readonly burst: object | undefined;
  /** What it holds of the credit. */
  readonly size: AnswerSize | undefined;
  readonly begunAt: number;
  readonly givesUpAt: number;
  /** When it is written again. */
  repeatsAt: number;
  /** Through which Redis it was written last. */
  shard: number;
  /** How many of its entries may be in the stream. At 0 it is certain that nothing happened. */
  entries: number;
  /** The copies among them that were written while an earlier one might be there, by their `ref`. Nearly no request has any. */
  copies: Set<number> | undefined;
  /** What the first one was refused with, while copies may be in the stream. */
  refused: Outcome | undefined;
  resolve(reply: Reply<never>): void;
};

type Options = {
  /** Through how many Redis requests may go. */
  shards: number;
  /** On which of several a user or a group lives. */
  shardOf(id: number): number;
  /** Whether one of several takes requests and brings answers, as far as is known. */
  works(shard: number): boolean;
  /** One of several does not work any more. */
  onShardLost(shard: number): void;
  /** Makes the writer of a Redis. What it could not write it gives to `onFailed`. */
  createWriter(
    shard: number,
    onFailed: (requests: readonly CoreRequest[], failure: WriteFailure) => void,
  ): RequestWriter<CoreRequest>;
  /**
   * After how long without an answer a request is written again, each time; more than its deadline, so that the entry before
   * can no longer begin.
   */
  repeatMs: number;
  /** When it is given up; more than the second entry may take. */
  patienceMs: number;
  /** Most bytes of large answers that may be on their way. */
  creditBytes: number;
  onRepeated(): void;
  /** A request has its outcome, so long after it was made. */
  onSettled(type: RequestType, outcome: RequestOutcome, ms: number): void;
  /**
   * Of the database, now. An answer of an earlier one is none: its history is gone, so the request is written again
   * when it is due.
   */
  epoch(): number;
  /** An answer is of a later epoch: afterwards `epoch` is that. */
  onEpoch(epoch: number): void;
};

/** The answers to these depend on what was read before. The answers to the others hold in every epoch. */
const reads: ReadonlySet<RequestType> = new Set<RequestType>([
  'AUTHORIZATION_SIGN_IN',
  'REPLAY_GROUPS',
  'GROUP_STATES',
  'GROUP_HEADS',
  'REPLAY_PAGE',
  'MESSAGE_LOOKUP',
  'GROUP_IDS',
  'OVERDUE_REPORT',
]);

/**
 * Requests of clients. What Redis refuses of them is answered at once. No client waits for the gateway's own: they wait
 * until Redis takes writes again, instead of failing and being requested again at once.
 */
const ofClients: ReadonlySet<RequestType> = new Set<RequestType>([
  'VERIFICATION_REQUEST_CODE',
  'VERIFICATION_SUBMIT_CODE',
  'AUTHORIZATION_SIGN_IN',
  'GROUP_CREATE',
  'GROUP_LEAVE',
  'GROUP_ADD_MEMBER',
  'MESSAGING_SEND',
]);

/**
 * What anybody can send any number of, without a user. It may take a small part of the request stream, so that it does not
 * fill it for all. Sign-ins are bounded already: a gateway has no more under way than it may (SIGN_INS_MAX).
 */
const ofNobody: ReadonlySet<RequestType> = new Set<RequestType>([
  'VERIFICATION_REQUEST_CODE',
  'VERIFICATION_SUBMIT_CODE',
]);

/** Whose request it is; of the gateway's own, the first user or group that it is about. Undefined if it is nobody's. */
function subjectOf({ params }: CoreRequest): number | undefined {
  const { user_id, group_id, user_ids, group_ids, cursors } = params as {
    readonly [K in 'user_id' | 'group_id']?: number;
  } & { readonly [K in 'user_ids' | 'group_ids']?: readonly number[] } & Partial<ParamsOf<'CURSOR_RAISE'>>;
  return user_id ?? group_id ?? user_ids?.[0] ?? group_ids?.[0] ?? cursors?.[0]?.user_id;
}

/** Behind a gap no user asks. */
function isPageOfReplay({ type, params }: CoreRequest): boolean {
  return type === 'REPLAY_PAGE' && params.user_id !== undefined;
}

const sweepMs = 250;
const busy = { ok: false, errors: [errorTexts.serverBusy.text] } as const;
const unknown = { ...busy, isUnknown: true } as const;

/** A burst is not parted: what was requested a moment later goes with what is due. */
function isDue(waiting: Waiting, burst: object | undefined, now: number): boolean {
  return waiting.repeatsAt <= now || (burst !== undefined && waiting.burst === burst);
}

function outcomeOf(reply: Outcome | typeof busy | typeof unknown): RequestOutcome {
  if (reply.ok) return 'success';
  if (reply === unknown) return 'unknown';
  return reply === busy ? 'busy' : 'failure';
}

/**
 * Sends requests to the core, and pairs its answers with them.
 *
 * Every request has an id that makes a second run answer what the first one did, so a request whose answer does
 * not come is written again before it is given up: the entry, its answer, or all of Redis may be lost, and a core may come
 * late. A last entry that nobody could begin before the request is given up is not written.
 *
 * A refusal of the first entry counts for nothing while there may be copies of it: what was refused then may be done later, by
 * another core. A copy says that it is one, so that its refusal is one for good, but for codes: one may be sent all the same.
 *
 * Of several Redis a request goes through that of its user. One without an order to keep takes another one while that
 * does not work; what has an order to keep waits, because two Redis keep none between them.
 */
export class CoreClient {
  readonly #options: Options;
  /** One for each Redis that is there. */
  readonly #writers: (RequestWriter<CoreRequest> | undefined)[];
  /** Which of several worked when that was looked at last. */
  readonly #worked: boolean[];
  // All have the same patience, so both are ordered by time: the first of the fresh ones is the next to be repeated, the
  // first of the others the next to be given up.
  readonly #fresh = new Map<number, Waiting>();
  readonly #repeated = new Map<number, Waiting>();
  /** Whose copy has this `ref`, by the `ref` of the first. */
  readonly #firstOf = new Map<number, number>();
  /** Of several Redis always, else while something waits for its answer: a quiet gateway is not woken. */
  #timer: NodeJS.Timeout | undefined;
  readonly credit: Credit;
  readonly #sizes = new AnswerSizes();
  /** After a break. A burst is not parted: its requests are one behind the other. */
  readonly #repetition = new Repetition<Waiting>({
    belongTogether: (one, next) => one.burst !== undefined && one.burst === next.burst,
    write: (waiting) => {
      const isUnanswered = this.#find(waiting.request.ref) === waiting;
      if (isUnanswered) this.#repeat(waiting);
      return isUnanswered;
    },
  });
  #lastRef = 0;
  #isClosed = false;

  constructor(options: Options) {
    this.#options = options;
    this.credit = new Credit(options.creditBytes);
    this.#writers = Array.from({ length: options.shards }, () => undefined);
    this.#worked = Array.from({ length: options.shards }, () => false);
    if (options.shards > 1) this.#sweepFromNowOn();
  }

  /** How many requests wait for their answer. */
  get pending(): number {
    return this.#fresh.size + this.#repeated.size;
  }

  /** How many bytes the request stream had when it was last written to from here; of several, the longest. */
  get streamBytes(): number {
    return Math.max(...this.#writers.map((writer) => writer?.waitingBytes ?? 0));
  }

  /** A Redis is there: requests go through it from now on, those too that wait for it. */
  open(shard: number): void {
    this.#writers[shard] = this.#options.createWriter(shard, (requests, failure) =>
      this.#onWriteFailed(requests, failure),
    );
    this.repeatAll(shard);
  }

  /** For callers who know this epoch of the database: what the core read in another one is an unknown outcome. */
  within(epoch: number): Core {
    return {
      request: (
        type,
        params,
        requestId = randomUUID(),
        burst = undefined,
        asker = undefined,
        trace = undefined,
      ) => {
        this.#lastRef += 1;
        const ref = this.#lastRef;
        // JSON leaves out what is undefined.
        const request = { ref, request_id: requestId, type, params, trace } as unknown as CoreRequest;
        const size = this.#sizes.of(type, params, asker);
        return new Promise((resolve) => {
          const begin = () => this.#begin(request, epoch, burst, size, resolve);
          if (!size) begin();
          else {
            const withdraw = () => resolve(busy);
            this.credit.take(asker ?? {}, { size, begin, withdraw }, isPageOfReplay(request));
          }
        });
      },
    };
  }

  #begin(
    request: CoreRequest,
    epoch: number,
    burst: object | undefined,
    size: AnswerSize | undefined,
    resolve: Waiting['resolve'],
  ): void {
    const now = Date.now();
    const { repeatMs, patienceMs } = this.#options;
    const waiting: Waiting = {
      request,
      epoch,
      burst,
      size,
      begunAt: now,
      givesUpAt: now + patienceMs,
      repeatsAt: now + repeatMs,
      shard: this.#shardFor(request, burst),
      entries: 0,
      copies: undefined,
      refused: undefined,
      resolve,
    };
    this.#fresh.set(request.ref, waiting);
    if (this.#isClosed) {
      this.#settle(waiting, busy);
      return;
    }
    if (!this.#timer) this.#sweepFromNowOn();
    this.#write(waiting);
  }

  /**
   * Takes one publication of the node's own channel. An answer that cannot be read is none: its request is written
   * again when it is due.
   * @throws UnreadableError once all that can be read is taken
   */
  onAnswers(bytes: Buffer): void {
    const { answers, unreadable } = readAnswers(bytes, (ref) => this.#find(ref)?.request.type);
    for (const answer of answers) {
      const type = this.#find(answer.ref)?.request.type;
      if (type) this.#sizes.note(type, bytes.byteLength / answers.length);
      this.#onAnswer(answer);
    }
    if (unreadable > 0) throw new UnreadableError(`${unreadable} answers`);
  }

  /**
   * Writes everything again that went through a Redis: after a break, requests, entries or answers may be lost. It does so a
   * portion in each turn of the event loop. Of large answers no more are on their way than there is credit, so they do not
   * break it again.
   */
  repeatAll(shard: number): void {
    this.#repetition.add(this.#unanswered().filter((waiting) => waiting.shard === shard));
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    for (const waiting of this.#unanswered()) this.#settle(waiting, waiting.entries > 0 ? unknown : busy);
  }

  /** In the order in which they were begun. */
  #unanswered(): Waiting[] {
    return [...this.#repeated.values(), ...this.#fresh.values()];
  }

  /** @param ref of its first entry, or of a copy */
  #find(ref: number): Waiting | undefined {
    const first = this.#firstOf.get(ref) ?? ref;
    return this.#fresh.get(first) ?? this.#repeated.get(first);
  }

  #shardFor(request: CoreRequest, burst: object | undefined): number {
    const { shards, shardOf, works } = this.#options;
    if (shards === 1) return 0;
    const own = shardOf(subjectOf(request) ?? request.ref);
    if (burst !== undefined) return own;
    for (let further = 0; further < shards; further += 1) {
      const shard = (own + further) % shards;
      if (works(shard)) return shard;
    }
    return own;
  }

  #repeat(waiting: Waiting): void {
    this.#options.onRepeated();
    this.#write(waiting);
  }

  #write(waiting: Waiting): void {
    const { burst, shard } = waiting;
    const writer = this.#writers[shard];
    // It is written as soon as that Redis is there.
    if (writer === undefined) return;
    const request = waiting.entries > 0 ? this.#copyOf(waiting) : waiting.request;
    waiting.entries += 1;
    if (isLargeAnswer(request.type)) writer.addBehind(request);
    else if (burst === undefined && ofNobody.has(request.type)) writer.addWithinShare(request);
    else writer.add(request, burst);
  }

  #copyOf(waiting: Waiting): CoreRequest {
    const { request } = waiting;
    this.#lastRef += 1;
    waiting.copies ??= new Set();
    waiting.copies.add(this.#lastRef);
    this.#firstOf.set(this.#lastRef, request.ref);
    return { ...request, ref: this.#lastRef, again: true };
  }

  #onWriteFailed(requests: readonly CoreRequest[], failure: WriteFailure): void {
    if (failure === 'uncertain') return;
    for (const { ref } of requests) {
      const waiting = this.#find(ref);
      if (!waiting) continue;
      waiting.entries -= 1;
      if (waiting.copies?.delete(ref)) this.#firstOf.delete(ref);
      if (waiting.refused && !waiting.copies?.size) this.#settle(waiting, waiting.refused);
      // What was not sent is written when the connection is back, or when it is due to be repeated.
      const isFinal = failure === 'full' || (failure === 'refused' && ofClients.has(waiting.request.type));
      if (isFinal && waiting.entries === 0) this.#settle(waiting, busy);
    }
  }

  #onAnswer({ ref, epoch: answeredIn = 0, ...outcome }: CoreAnswer): void {
    const { epoch, onEpoch } = this.#options;
    if (answeredIn > epoch() && isEpoch(answeredIn)) onEpoch(answeredIn);
    const waiting = this.#find(ref);
    if (!waiting || answeredIn !== epoch()) return;
    if (outcome.ok || !waiting.copies?.size || waiting.copies.has(ref)) {
      this.#settle(waiting, outcome, answeredIn);
    } else waiting.refused = outcome;
  }

  /** @param answeredIn the epoch in which the core answered */
  #settle(waiting: Waiting, reply: Outcome | typeof unknown, answeredIn?: number): void {
    const { ref } = waiting.request;
    if (this.#find(ref) !== waiting) return;
    this.#fresh.delete(ref);
    this.#repeated.delete(ref);
    for (const copy of waiting.copies ?? []) this.#firstOf.delete(copy);
    const isOfAnother =
      answeredIn !== undefined && answeredIn !== waiting.epoch && reads.has(waiting.request.type);
    if (waiting.size) this.credit.giveBack(waiting.size);
    const outcome = outcomeOf(isOfAnother ? unknown : reply);
    this.#options.onSettled(waiting.request.type, outcome, Date.now() - waiting.begunAt);
    waiting.resolve((isOfAnother ? unknown : reply) as Reply<never>);
  }

  #sweepFromNowOn(): void {
    // Answers that arrived while the process was stalled are read before anything is given up: timers run before
    // sockets are read, so one more tick is granted.
    this.#timer = setInterval(() => setImmediate(() => setImmediate(() => this.#sweep())), sweepMs);
  }

  #sweep(): void {
    if (this.#options.shards > 1) this.#lookForShards();
    else if (this.pending === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const now = Date.now();
    for (const waiting of this.#repeated.values()) {
      if (waiting.givesUpAt > now) break;
      this.#settle(waiting, waiting.entries > 0 ? unknown : busy);
    }
    // Before the fresh ones join them. What is due may be anywhere: there are many of them only while no core answers.
    let burst: object | undefined;
    for (const waiting of this.#repeated.values()) {
      if (!isDue(waiting, burst, now)) continue;
      burst = waiting.burst;
      this.#repeatLater(waiting);
    }
    burst = undefined;
    for (const [ref, waiting] of this.#fresh) {
      if (!isDue(waiting, burst, now)) break;
      burst = waiting.burst;
      this.#fresh.delete(ref);
      this.#repeated.set(ref, waiting);
      this.#repeatLater(waiting);
    }
  }

  /** Writes it again, and says when that is due once more. */
  #repeatLater(waiting: Waiting): void {
    const { repeatMs } = this.#options;
    const next = waiting.repeatsAt + repeatMs;
    waiting.repeatsAt = next + repeatMs <= waiting.givesUpAt ? next : Number.POSITIVE_INFINITY;
    waiting.shard = this.#shardFor(waiting.request, waiting.burst);
    this.#repeat(waiting);
  }

  /** Looks which Redis work. If those are others than before, what may take another one does not wait for one that does not. */
  #lookForShards(): void {
    const { works, onShardLost } = this.#options;
    let isNews = false;
    for (const [shard, worked] of this.#worked.entries()) {
      const isWorking = works(shard);
      if (isWorking === worked) continue;
      this.#worked[shard] = isWorking;
      isNews = true;
      if (!isWorking) onShardLost(shard);
    }
    if (!isNews) return;
    const moved = this.#unanswered().filter((waiting) => {
      if (this.#worked[waiting.shard]) return false;
      const before = waiting.shard;
      waiting.shard = this.#shardFor(waiting.request, waiting.burst);
      return waiting.shard !== before;
    });
    this.#repetition.add(moved);
  }
}
