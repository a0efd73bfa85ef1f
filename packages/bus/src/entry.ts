import { entryVersion } from './request-writer.ts';
import type { Signatures } from './signatures.ts';

/** No entry may be begun later than this after it was written. */
export const deadlineMaxMs = 3_600_000;

export type Entry<T> = {
  readonly id: string;
  /** Where the answers go. */
  readonly node: string;
  /** Milliseconds since the epoch, by Redis's clock: begin none of its requests after this. */
  readonly deadline: number;
  readonly requests: readonly T[];
};

/**
 * Why an entry cannot be read here.
 *
 * - `foreign`: of another layout. A core of another release knows it, so it stays. Until when is said by its deadline:
 *   `node` and `deadline` are the same in every layout.
 * - `unsigned`: without a signature that this process accepts. One with another list of keys may, so it stays for a while.
 * - `rubbish`: of this layout, and wrong. No core can read it.
 */
export type Unreadable = {
  readonly is: 'foreign' | 'unsigned' | 'rubbish';
  readonly reason: string;
  /** Milliseconds since the epoch, by Redis's clock; of an entry without one, or unsigned, when it was written. */
  readonly deadline: number;
};

export function isUnreadable<T>(entry: Entry<T> | Unreadable): entry is Unreadable {
  return 'reason' in entry;
}

/** Who may have written the entries of a stream. */
export type EntryCheck = { readonly stream: string; readonly signatures?: Signatures | undefined };

export function decodeEntry<T>(
  id: string,
  flat: readonly string[],
  { stream, signatures }: EntryCheck,
): Entry<T> | Unreadable {
  const node = fieldOf(flat, 'node');
  const given = Number(fieldOf(flat, 'deadline') || Number.NaN);
  const writtenAt = Number.parseInt(id, 10);
  // One that never ends would be kept, and run, for ever.
  const isDeadline = given <= writtenAt + deadlineMaxMs;
  const deadline = isDeadline ? given : writtenAt;
  const rubbish = (reason: string) => ({ is: 'rubbish', reason, deadline }) as const;
  const layout = fieldOf(flat, 'v');
  if (layout === undefined) return rubbish('no layout');
  if (layout !== entryVersion) return { is: 'foreign', reason: `layout ${layout.slice(0, 20)}`, deadline };
  if (signatures && !signatures.acceptsEntry(stream, flat)) {
    return { is: 'unsigned', reason: 'not signed with a key that is known here', deadline: writtenAt };
  }
  if (!node) return rubbish('no node');
  if (!isDeadline) return rubbish('no deadline, or one too far away');
  try {
    const requests = JSON.parse(fieldOf(flat, 'requests') ?? '') as unknown;
    if (!Array.isArray(requests)) return rubbish('requests are no list');
    return { id, node, deadline, requests: requests as T[] };
  } catch {
    // Node quotes a piece of the text, which may be anything.
    return rubbish('requests are no JSON');
  }
}

/** @param flat names and values in turn @returns the value of the first field of that name */
function fieldOf(flat: readonly string[], name: string): string | undefined {
  for (let index = 0; index + 1 < flat.length; index += 2) {
    if (flat[index] === name) return flat[index + 1];
  }
  return undefined;
}
