/** A group that has a state to tell. */
type Telling = {
  /** Tells it to the next connection. @returns whether there was one */
  tellNext(): boolean;
};

/** So long sockets are written to without a pause: others wait as long. */
const sliceMs = 1;
/**
 * So many times as long as that the gateway does something else before it goes on. What is written has to be sent by the
 * kernel, read by clients and acknowledged besides, on machines that may be the same: it is a few times the slice.
 */
const restFactor = 9;
/** While clients leave much unread, states leave so slowly that they do not fill what is left. */
const crowdedRestMs = 100;

/**
 * Tells large groups their states, one connection after the other. A state of ten thousand members for ten thousand
 * connections is more than a gigabyte: written at once it stops a gateway for seconds, and fills its socket buffers. So it
 * is written in slices of time, with rests in between, in which everybody else has their turns. A machine that is busy
 * makes a slice take longer, and so its rest. Groups take turns.
 */
export class StateTeller {
  readonly #isCrowded: () => boolean;
  readonly #groups = new Set<Telling>();
  #timer: NodeJS.Timeout | undefined;

  /** @param isCrowded whether clients leave so much unread that little more should be written */
  constructor(isCrowded: () => boolean) {
    this.#isCrowded = isCrowded;
  }

  /** The group has connections to tell: they are, until there is none left. */
  add(group: Telling): void {
    this.#groups.add(group);
    this.#timer ??= setTimeout(this.#work, 0);
  }

  readonly #work = (): void => {
    this.#timer = undefined;
    const startedAt = performance.now();
    const isCrowded = this.#isCrowded();
    let tookMs = 0;
    for (const group of this.#groups) {
      // Behind the others, which the loop comes to first.
      this.#groups.delete(group);
      if (group.tellNext()) this.#groups.add(group);
      tookMs = performance.now() - startedAt;
      if (tookMs >= sliceMs || isCrowded) break;
    }
    if (this.#groups.size === 0) return;
    this.#timer ??= setTimeout(this.#work, isCrowded ? crowdedRestMs : Math.ceil(tookMs * restFactor));
  };
}
