/** What has come of messages that waited: so many in each group, numbered from 1. */
export class Arrivals {
  readonly #groupIds: ReadonlySet<number>;
  readonly #perGroup: number;
  /** By group, the number of the last message that came. */
  readonly #last = new Map<number, number>();
  #count = 0;
  #wholeGroups = 0;

  constructor(groupIds: readonly number[], perGroup: number) {
    this.#groupIds = new Set(groupIds);
    this.#perGroup = perGroup;
  }

  /** How many messages have come. */
  get count(): number {
    return this.#count;
  }

  /** Of how many groups all messages have come. */
  get wholeGroups(): number {
    return this.#wholeGroups;
  }

  get isComplete(): boolean {
    return this.#wholeGroups === this.#groupIds.size;
  }

  /**
   * @param number the one that a message bears
   * @returns the fault, if it is not the next one of its group
   */
  receive(groupId: number, number: number): string | undefined {
    if (!this.#groupIds.has(groupId)) return `a message of group ${groupId} came, in which nothing waited`;
    const last = this.#last.get(groupId) ?? 0;
    if (number !== last + 1) return `message ${number} of group ${groupId} came after ${last}`;
    if (number > this.#perGroup) return `message ${number} of group ${groupId} came, and was never stored`;
    this.#last.set(groupId, number);
    this.#count += 1;
    if (number === this.#perGroup) this.#wholeGroups += 1;
    return undefined;
  }
}
