import type { Core } from '../core/core-client.ts';
import type { Member } from '../groups/delivery-cursor.ts';

export type Cursors = {
  /** A member's cursor moved: it will be written. */
  changed(member: Member): void;
  /** Writes what is due, now. Resolves when the core has stored all that was begun, or did not answer. */
  flush(): Promise<void>;
  readonly dirty: number;
  close(): void;
};

const cursorsPerRequest = 500;

/**
 * Writes moved cursors, all of them together, at most once in `everyMs`; the first after a pause at once.
 *
 * What is lost when this process dies costs duplicates, nothing else. What the core did not confirm is written
 * again.
 */
export function createCursors({
  core,
  epoch,
  everyMs,
}: {
  core: Core;
  epoch: number;
  everyMs: number;
}): Cursors {
  let moved: Member[] = [];
  let timer: NodeJS.Timeout | undefined;
  let flushedAt = 0;
  const writing = new Set<Promise<void>>();

  function changed(member: Member): void {
    if (member.isMoved) return;
    member.isMoved = true;
    moved.push(member);
    schedule();
  }

  function schedule(): void {
    if (timer) return;
    const pause = Math.max(0, flushedAt + everyMs - Date.now());
    timer = setTimeout(() => void flush(), pause);
  }

  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    flushedAt = Date.now();
    const members = moved;
    moved = [];
    for (const member of members) member.isMoved = false;
    for (let start = 0; start < members.length; start += cursorsPerRequest) {
      const written = write(members.slice(start, start + cursorsPerRequest));
      writing.add(written);
      void written.finally(() => writing.delete(written));
    }
    await Promise.all(writing);
  }

  async function write(members: readonly Member[]): Promise<void> {
    const cursors = members.map((member) => ({
      user_id: member.userId,
      group_id: member.groupId,
      delivered_seq: member.deliveredSeq,
      delivered_version: member.deliveredVersion,
    }));
    const reply = await core.ask('CURSOR_RAISE', epoch === 0 ? { cursors } : { epoch, cursors });
    if (reply.ok) return;
    for (const member of members) changed(member);
  }

  return {
    changed,
    flush,
    get dirty() {
      return moved.length;
    },
    close: () => clearTimeout(timer),
  };
}
