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
  readonly waiters: Waiter[];
};

/** A request, without what the outbox adds. */
export type NewRequest = {
  [R in QueuedRequest as R['type']]: Pick<R, 'type' | 'payload'>;
}[QueuedRequest['type']];

/** The requests of one user that have no final answer yet, in memory and in the storage. */
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
  /** Answers that are being handled: the storage has their requests until then. */
  readonly #answered = new Map<OutboxChange, Promise<void>>();

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
      .map(([, value]) => value as QueuedRequest)
      .sort((a, b) => a.createdAt - b.createdAt);
    for (const request of left) this.#insert({ request, waiters: [], stored: Promise.resolve() });
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
    await Promise.all(this.#answered.values());
  }

  /** As deactivate, and the storage forgets it too. */
  forget(why: RequestError): void {
    this.deactivate(why);
    for (const { request } of this.#answered.keys()) void this.#store.delete(this.#prefix + request.id);
    for (const entry of [...this.#entries.values()]) {
      this.#end(entry, { status: 'aborted', request: entry.request });
    }
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
    const stored = this.#store.set(this.#prefix + request.id, request);
    const entry: Entry = { request, waiters: [], stored };
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
      this.#end(entry, { status: 'aborted', request: entry.request });
      for (const waiter of entry.waiters) waiter.reject(signal?.reason);
    });
  }

  #settle(entry: Entry, answer: QueuedAnswer): void {
    const { request, waiters } = entry;
    if (answer.ok) {
      const { payload } = answer;
      this.#onSuccess(request);
      this.#end(entry, { status: 'succeeded', request, answer: payload });
      for (const waiter of waiters) waiter.resolve(payload);
    } else {
      const error = new RequestError('failure', answer.errors);
      this.#end(entry, { status: 'failed', request, error });
      for (const waiter of waiters) waiter.reject(error);
    }
  }

  /** Takes it out, of the storage too; one that was answered when the handlers have kept what they want to keep of it. */
  #end(entry: Entry, change: OutboxChange): void {
    const { id } = entry.request;
    this.#queue.remove(entry);
    if (!this.#entries.delete(id)) return;
    this.#requests = undefined;
    if (change.status === 'aborted') {
      void this.#store.delete(this.#prefix + id);
      this.#emitter.emit('outbox', change);
    } else {
      this.#answered.set(change, this.#handle(change));
    }
    if (this.#entries.size === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  async #handle(change: OutboxChange): Promise<void> {
    const { id } = change.request;
    await this.#emitter
      .deliver('outbox', change)
      .catch((error: unknown) => this.#emitter.emit('error', error));
    // The caller may have given the same one again.
    if (!this.#entries.has(id)) await this.#store.delete(this.#prefix + id);
    this.#answered.delete(change);
  }

  /** By this machine's clock, but never the same twice: it is the order. */
  #now(): number {
    this.#lastCreatedAt = Math.max(Date.now(), this.#lastCreatedAt + 1);
    return this.#lastCreatedAt;
  }
}
