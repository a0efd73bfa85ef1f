type Channels = { acquire(name: string): Promise<void> };
type Wanted = { holders: number; readonly listening: Promise<void>; confirm(): void };

/** The channels that are wanted of a Redis which was not there yet when this gateway started. */
export class EarlyChannels {
  readonly #wanted = new Map<string, Wanted>();

  /** Resolves when Redis is there and has confirmed the subscription, or when all holders have released it. */
  acquire(name: string): Promise<void> {
    const known = this.#wanted.get(name);
    if (known) {
      known.holders += 1;
      return known.listening;
    }
    let confirm = () => {};
    const listening = new Promise<void>((resolve) => {
      confirm = resolve;
    });
    this.#wanted.set(name, { holders: 1, listening, confirm });
    return listening;
  }

  release(name: string): void {
    const wanted = this.#wanted.get(name);
    if (!wanted) return;
    wanted.holders -= 1;
    if (wanted.holders > 0) return;
    this.#wanted.delete(name);
    wanted.confirm();
  }

  /** Redis is there. What was acquired here is released there. */
  handOver(channels: Channels): void {
    for (const [name, { holders, confirm }] of this.#wanted) {
      for (let held = 0; held < holders; held += 1) void channels.acquire(name).then(confirm);
    }
    this.#wanted.clear();
  }
}
