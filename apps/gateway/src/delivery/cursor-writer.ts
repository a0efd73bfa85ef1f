import type { Core } from '../core/core-client.ts';
import type { DeliveryCursor, StoredPosition } from '../groups/delivery-cursor.ts';

const cursorsPerRequest = 500;

/**
 * Writes moved cursors, all of them together, at most once in `everyMs`; the first after a pause at once.
 *
 * What is lost when this process dies costs duplicates, nothing else. What the core did not confirm is written
 * again.
 */
export class CursorWriter {
  readonly #core: Core;
  readonly #epoch: number;
  readonly #everyMs: number;
  readonly #writing = new Set<Promise<void>>();
  #moved: DeliveryCursor[] = [];
  #timer: NodeJS.Timeout | undefined;
  #flushedAt = 0;

  /** @param epoch of the database in which these cursors are acknowledged */
  constructor({ core, epoch, everyMs }: { core: Core; epoch: number; everyMs: number }) {
    this.#core = core;
    this.#epoch = epoch;
    this.#everyMs = everyMs;
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
    if (this.#timer) return;
    const pauseMs = Math.max(0, this.#flushedAt + this.#everyMs - Date.now());
    this.#timer = setTimeout(() => void this.flush(), pauseMs);
  }

  /** Raises a cursor to what is stored. What was acknowledged here beyond it counts from now on, and is written. */
  raise(cursor: DeliveryCursor, stored: StoredPosition): void {
    if (cursor.raiseTo(stored)) this.changed(cursor);
  }

  /** Writes what moved, now. Resolves when the core has stored all that was begun, or did not answer. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#flushedAt = Date.now();
    const moved = this.#moved;
    this.#moved = [];
    for (const cursor of moved) cursor.isQueued = false;
    for (let start = 0; start < moved.length; start += cursorsPerRequest) {
      const written = this.#write(moved.slice(start, start + cursorsPerRequest));
      this.#writing.add(written);
      void written.finally(() => this.#writing.delete(written));
    }
    await Promise.all(this.#writing);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  async #write(moved: readonly DeliveryCursor[]): Promise<void> {
    const cursors = moved.map(({ userId, groupId, deliveredSeq, deliveredVersion }) => ({
      user_id: userId,
      group_id: groupId,
      delivered_seq: deliveredSeq,
      delivered_version: deliveredVersion,
    }));
    const epoch = this.#epoch === 0 ? {} : { epoch: this.#epoch };
    const reply = await this.#core.request('CURSOR_RAISE', { ...epoch, cursors });
    if (!reply.ok) for (const cursor of moved) this.changed(cursor);
  }
}
