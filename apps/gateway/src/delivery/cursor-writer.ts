import type { Core } from '../core/core-client.ts';
import type { DeliveryCursor, StoredPosition } from '../groups/delivery-cursor.ts';
import type { MessageTraces } from './message-traces.ts';

type Options = {
  readonly core: Core;
  /** Of the database in which these cursors are acknowledged. */
  readonly epoch: number;
  readonly everyMs: number;
  /** Undefined unless messages are traced. */
  readonly traces?: Pick<MessageTraces, 'writing'> | undefined;
};

/** A statement of so many rows takes two or three milliseconds, in which messages do not wait noticeably. */
const cursorsPerRequest = 100;

/**
 * Writes moved cursors, each at most once in `everyMs`; the first after a pause at once. Many leave in portions that are
 * spread over that time, because messages wait while a thousand rows are written.
 *
 * What is lost when this process dies costs duplicates, nothing else. What the core did not confirm is written
 * again.
 */
export class CursorWriter {
  readonly #core: Core;
  readonly #epoch: number;
  readonly #everyMs: number;
  readonly #traces: Options['traces'];
  readonly #writing = new Set<Promise<void>>();
  /** In the order in which they moved. */
  #moved: DeliveryCursor[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writtenAt = 0;
  /** Users who left in this tick. */
  readonly #leaving = new Set<number>();
  #leavingWritten: Promise<void> | undefined;

  constructor({ core, epoch, everyMs, traces }: Options) {
    this.#core = core;
    this.#epoch = epoch;
    this.#everyMs = everyMs;
    this.#traces = traces;
  }

  /** Whether a cursor moved that is not on its way yet. */
  get hasMoved(): boolean {
    return this.#moved.length > 0;
  }

  /** A cursor moved: it will be written. */
  changed(cursor: DeliveryCursor): void {
    if (cursor.isQueued) return;
    cursor.isQueued = true;
    this.#moved.push(cursor);
    if (!this.#timer) this.#schedule();
  }

  /** Raises a cursor to what is stored. What was acknowledged here beyond it counts from now on, and is written. */
  raise(cursor: DeliveryCursor, stored: StoredPosition): void {
    if (cursor.raiseTo(stored)) this.changed(cursor);
  }

  /** Writes what moved, now. Resolves when the core has stored all that was begun, or did not answer. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writtenAt = Date.now();
    this.#begin(this.#moved.splice(0));
    await Promise.all(this.#writing);
  }

  /**
   * Writes what moved of a user who leaves; what moved of others waits for its time. Users who leave in one tick share
   * requests. Resolves as `flush`.
   */
  flushUser(userId: number): Promise<void> {
    this.#leaving.add(userId);
    this.#leavingWritten ??= new Promise((resolve) =>
      setImmediate(() => {
        const isLeaving = (cursor: DeliveryCursor) => this.#leaving.has(cursor.userId);
        const theirs = this.#moved.filter(isLeaving);
        this.#moved = this.#moved.filter((cursor) => !isLeaving(cursor));
        this.#leaving.clear();
        this.#leavingWritten = undefined;
        this.#begin(theirs);
        resolve(Promise.all(this.#writing).then(() => {}));
      }),
    );
    return this.#leavingWritten;
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    const portions = Math.ceil(this.#moved.length / cursorsPerRequest);
    const pauseMs = Math.max(0, this.#writtenAt + this.#everyMs / portions - Date.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#writtenAt = Date.now();
      this.#begin(this.#moved.splice(0, cursorsPerRequest));
      if (this.hasMoved) this.#schedule();
    }, pauseMs);
  }

  #begin(moved: readonly DeliveryCursor[]): void {
    for (const cursor of moved) cursor.isQueued = false;
    for (let start = 0; start < moved.length; start += cursorsPerRequest) {
      const written = this.#write(moved.slice(start, start + cursorsPerRequest));
      this.#writing.add(written);
      void written.finally(() => this.#writing.delete(written));
    }
  }

  async #write(moved: readonly DeliveryCursor[]): Promise<void> {
    const cursors = moved.map(({ userId, groupId, deliveredSeq, deliveredVersion }) => ({
      user_id: userId,
      group_id: groupId,
      delivered_seq: deliveredSeq,
      delivered_version: deliveredVersion,
    }));
    const epoch = this.#epoch === 0 ? {} : { epoch: this.#epoch };
    const writing = this.#traces?.writing(moved);
    const params = { ...epoch, cursors };
    const reply = await this.#core.request(
      'CURSOR_RAISE',
      params,
      undefined,
      undefined,
      undefined,
      writing?.context,
    );
    writing?.end(reply);
    if (!reply.ok) for (const cursor of moved) this.changed(cursor);
  }
}
