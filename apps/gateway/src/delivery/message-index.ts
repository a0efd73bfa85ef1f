import type { Group } from '../groups/group-feed.ts';

/** Where a message belongs. The group may no longer be held here, or be held anew. */
export type Receipt = { readonly group: Group; readonly seq: number };

/**
 * Remembers where the messages that this gateway sent belong, because an acknowledgement names the message
 * alone. Two generations: when the younger one is full the older one is forgotten, so the memory is bounded
 * and forgetting costs nothing. An acknowledgement that comes later than that is looked up by the core.
 */
export class Receipts {
  readonly #generationMax: number;
  #young = new Map<number, Receipt>();
  #old = new Map<number, Receipt>();

  constructor(generationMax = 50_000) {
    this.#generationMax = generationMax;
  }

  note(messageId: number, group: Group, seq: number): void {
    if (this.#young.size >= this.#generationMax) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(messageId, { group, seq });
  }

  find(messageId: number): Receipt | undefined {
    return this.#young.get(messageId) ?? this.#old.get(messageId);
  }
}
