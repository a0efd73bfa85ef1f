import { entryVersion } from './request-writer.ts';

export type Entry<T> = {
  readonly id: string;
  /** Where the answers go. */
  readonly node: string;
  /** Milliseconds since the epoch, by Redis's clock: begin none of its requests after this. */
  readonly deadline: number;
  readonly requests: readonly T[];
};

/** @returns the entry, or why it cannot be read */
export function decodeEntry<T>(id: string, flat: readonly string[]): Entry<T> | string {
  const fields = new Map<string, string>();
  for (let index = 0; index + 1 < flat.length; index += 2) {
    fields.set(flat[index] as string, flat[index + 1] as string);
  }
  const node = fields.get('node');
  if (fields.get('v') !== entryVersion || !node) return 'unknown layout';
  try {
    const requests = JSON.parse(fields.get('requests') ?? '') as unknown;
    if (!Array.isArray(requests)) return 'requests are no list';
    return { id, node, deadline: Number(fields.get('deadline')), requests: requests as T[] };
  } catch {
    // Node quotes a piece of the text, which may be anything.
    return 'requests are no JSON';
  }
}
