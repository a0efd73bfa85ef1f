type Close = () => Promise<unknown> | unknown;

/** What was started, to be ended in the reverse order; what was started side by side ends side by side. */
export class Closing {
  readonly #stages: Close[][] = [];

  /** Begins a stage that ends before all earlier ones. Returns how to add to it. */
  stage(): (close: Close) => void {
    const stage: Close[] = [];
    this.#stages.push(stage);
    return (close) => stage.push(close);
  }

  async closeAll(): Promise<void> {
    for (let stage = this.#stages.pop(); stage; stage = this.#stages.pop()) {
      await Promise.all(stage.map((close) => close()));
    }
  }
}
