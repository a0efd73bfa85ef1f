/** Gives a sign-in's place back; calling it again does nothing. */
type LeavePlace = () => void;

/**
 * How many sign-ins are under way on this gateway. The others wait, in the order in which they came: what they need of
 * the cores is not requested yet, so no patience runs out meanwhile.
 */
export class SignIns {
  readonly #placesMax: number;
  /** Each with what lets it in, or sends it away. In the order in which they came. */
  readonly #waiting = new Map<object, (place: LeavePlace | undefined) => void>();
  #underWay = 0;

  /** @param placesMax most sign-ins under way */
  constructor(placesMax: number) {
    this.#placesMax = placesMax;
  }

  get underWay(): number {
    return this.#underWay;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * @param owner whose sign-in it is: one at a time
   * @returns the place, once there is one; undefined when the owner left the line before
   */
  async enter(owner: object): Promise<LeavePlace | undefined> {
    if (this.#underWay < this.#placesMax) return this.#place();
    return new Promise((resolve) => this.#waiting.set(owner, resolve));
  }

  /** The owner does not want a place any more. What it has it keeps. */
  leaveLine(owner: object): void {
    const resolve = this.#waiting.get(owner);
    this.#waiting.delete(owner);
    resolve?.(undefined);
  }

  #place(): LeavePlace {
    this.#underWay += 1;
    let isLeft = false;
    return () => {
      if (isLeft) return;
      isLeft = true;
      this.#underWay -= 1;
      const [next] = this.#waiting;
      if (!next) return;
      this.#waiting.delete(next[0]);
      next[1](this.#place());
    };
  }
}
