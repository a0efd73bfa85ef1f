import { errorTexts } from '@hooligram/protocol/error-texts';
import { frameBytesMax } from '@hooligram/protocol/limits';
import { abortable } from './abortable.ts';
import type { Emitter } from './emitter.ts';
import { RequestError } from './errors.ts';
import type { OutboxChange, QueuedRequest } from './events.ts';
import { frameBytesOver } from './frame-size.ts';
import type { AbortSignalLike, QueuedRequestOptions } from './options.ts';
import { type QueuedAnswer, type QueueEntry, RequestQueue } from './request-queue.ts';
import type { Socket } from './socket.ts';
import type { Store } from './store.ts';
import { assertUuid, uuid } from './uuid.ts';

/** The payload of a success: `message_id`, `group_id`, or nothing. */
type Payload = { readonly message_id?: number; readonly group_id?: number };

type Waiter = {
  readonly resolve: (payload: Payload) => void;
  readonly reject: (error: unknown) => void;
};

type Entry = QueueEntry & {
  /** In the storage. Another one each time that a request is added: what ends late deletes nothing that was added since. */
  readonly key: string;
  readonly waiters: Waiter[];
};

/** A request as the storage has it: with its final answer from when that came until its handlers have ended. */
type Stored = QueuedRequest & { readonly answer?: QueuedAnswer };

type Outcome = Extract<OutboxChange, { status: 'succeeded' | 'failed' }>;

/** A request, without what the outbox adds. */
export type NewRequest = {
  [R in QueuedRequest as R['type']]: Pick<R, 'type' | 'payload'>;
}[QueuedRequest['type']];

/**
 * The requests of one user that have no final answer yet, in memory and in the storage. The storage has an answered one until
 * the handlers of its outcome have ended: if they did not, the next client gives them the same outcome, and sends nothing.
 */
export class Outbox {
  readonly #store: Store;
  readonly #emitter: Emitter;
  readonly #prefix: string;
  readonly #onSuccess: (request: QueuedRequest) => void;
  /** By id, oldest first. */
  readonly #entries = new Map<string, Entry>();
  readonly #queue = new RequestQueue<Entry>((entry, answer) => this.#settle(entry, answer));
  #requests: readonly QueuedRequest[] | undefined;
  #lastCreatedAt = 0;
  #onIdle: (() => void)[] = [];
  /** Outcomes that are being handled, by their key in the storage. */
  readonly #handling = new Map<string, Promise<void>>();
  /** Outcomes that an earlier client left, by their key: given to the handlers when the user is signed in. */
  readonly #left = new Map<string, Outcome>();

  /** @param onSuccess called before the promise of the request resolves */
  constructor(
    store: Store,
    emitter: Emitter,
    sid: string,
    stored: ReadonlyMap<string, unknown>,
    onSuccess: (request: QueuedRequest) => void,
  ) {
    this.#onSuccess = onSuccess;
    this.#store = store;
    this.#emitter = emitter;
    this.#prefix = `outbox/${sid}/`;
    const left = [...stored]
      .filter(([key]) => key.startsWith(this.#prefix))
      .map(([key, value]) => ({ key, ...(value as Stored) }))
      .sort((a, b) => a.createdAt - b.createdAt);
    for (const { key, answer, ...request } of left) {
      if (answer) this.#left.set(key, outcomeOf(request, answer));
      // Two clients on this storage were given the same one.
      else if (this.#entries.has(request.id)) void store.delete(key);
      else this.#insert({ key, request, waiters: [], stored: Promise.resolve() });
    }
  }

  /** Oldest first. Replaced, never changed. */
  get requests(): readonly QueuedRequest[] {
    this.#requests ??= [...this.#entries.values()].map(({ request }) => request);
    return this.#requests;
  }

  /**
   * @returns the payload of the success
   * @throws RequestError
   * @throws TypeError when the given id is no UUID
   */
  add(added: NewRequest, { id = uuid(), signal }: QueuedRequestOptions): Promise<Payload> {
    assertUuid(id);
    const frame = { id, ...added };
    const over = frameBytesOver(frame);
    if (over > 0) {
      const text = `frame: must be at most ${frameBytesMax} bytes, and has ${over} more`;
      throw new RequestError('too-large', [text]);
    }
    const entry = this.#find(id, added) ?? this.#enqueue({ ...frame, createdAt: this.#now() });
    return this.#waitFor(entry, signal);
  }

  /** Sends what waits, on a socket that is signed in as this user. */
  resume(socket: Socket): void {
    for (const [key, outcome] of this.#left) this.#give(key, outcome);
    this.#left.clear();
    this.#queue.resume(socket);
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    if (this.#entries.size > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  /** Sends nothing more, and rejects what waits; the storage keeps it. */
  deactivate(why: RequestError): void {
    this.#queue.stop();
    for (const { waiters } of this.#entries.values()) for (const waiter of waiters) waiter.reject(why);
  }

  /** Resolves when the handlers of all answers have ended, and the storage knows it. */
  async handled(): Promise<void> {
    await Promise.all(this.#handling.values());
  }

  /** As deactivate, and the storage forgets it too. */
  forget(why: RequestError): void {
    this.deactivate(why);
    for (const key of [...this.#handling.keys(), ...this.#left.keys()]) void this.#store.delete(key);
    for (const entry of [...this.#entries.values()]) this.#abort(entry);
  }

  /** The same request, given again. @throws RequestError when it is another one with the same id */
  #find(id: string, { type, payload }: NewRequest): Entry | undefined {
    const entry = this.#entries.get(id);
    if (!entry) return undefined;
    const { request } = entry;
    const isSame = JSON.stringify([type, payload]) === JSON.stringify([request.type, request.payload]);
    if (!isSame) throw new RequestError('failure', [errorTexts.idAlreadyUsed.text]);
    return entry;
  }

  #enqueue(request: QueuedRequest): Entry {
    const key = this.#prefix + uuid();
    const stored = this.#store.set(key, request);
    const entry: Entry = { key, request, waiters: [], stored };
    this.#insert(entry);
    this.#emitter.emit('outbox', { status: 'queued', request });
    return entry;
  }

  #insert(entry: Entry): void {
    this.#lastCreatedAt = Math.max(this.#lastCreatedAt, entry.request.createdAt);
    this.#entries.set(entry.request.id, entry);
    this.#requests = undefined;
    this.#queue.add(entry);
  }

  #waitFor(entry: Entry, signal: AbortSignalLike | undefined): Promise<Payload> {
    const settled = new Promise<Payload>((resolve, reject) => entry.waiters.push({ resolve, reject }));
    return abortable(settled, signal, () => {
      this.#abort(entry);
      for (const waiter of entry.waiters) waiter.reject(signal?.reason);
    });
  }

  #settle(entry: Entry, answer: QueuedAnswer): void {
    const { key, request, waiters } = entry;
    // Also of one that was aborted meanwhile.
    if (answer.ok) this.#onSuccess(request);
    if (!this.#remove(entry)) return;
    const outcome = outcomeOf(request, answer);
    void this.#store.set(key, { ...request, answer } satisfies Stored);
    this.#give(key, outcome);
    for (const waiter of waiters) {
      if (outcome.status === 'succeeded') waiter.resolve(outcome.answer);
      else waiter.reject(outcome.error);
    }
  }

  #abort(entry: Entry): void {
    if (!this.#remove(entry)) return;
    void this.#store.delete(entry.key);
    this.#emitter.emit('outbox', { status: 'aborted', request: entry.request });
  }

  /** @returns whether it was there */
  #remove(entry: Entry): boolean {
    const { id } = entry.request;
    this.#queue.remove(entry);
    // The caller may have given the same one again.
    if (this.#entries.get(id) !== entry) return false;
    this.#entries.delete(id);
    this.#requests = undefined;
    if (this.#entries.size === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
    return true;
  }

  /** Gives an outcome to the handlers; the storage forgets it when they have ended. */
  #give(key: string, outcome: Outcome): void {
    const handled = this.#emitter
      .deliver('outbox', outcome)
      .catch((error: unknown) => this.#emitter.emit('error', error))
      .then(() => this.#store.delete(key))
      .then(() => void this.#handling.delete(key));
    this.#handling.set(key, handled);
  }

  /** By this machine's clock, but never the same twice: it is the order. */
  #now(): number {
    this.#lastCreatedAt = Math.max(Date.now(), this.#lastCreatedAt + 1);
    return this.#lastCreatedAt;
  }
}

function outcomeOf(request: QueuedRequest, answer: QueuedAnswer): Outcome {
  return answer.ok
    ? { status: 'succeeded', request, answer: answer.payload }
    : { status: 'failed', request, error: new RequestError('failure', answer.errors) };
}
