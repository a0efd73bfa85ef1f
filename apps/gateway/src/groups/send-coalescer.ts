type Socket = { together<T>(work: () => T): T };

/**
 * What is given to it in one tick is done behind the microtasks of that tick, in order: what one answer of the core has set
 * free, for a connection that waited for several parts of it. All that is sent by it leaves together (`ClientSocket.together`).
 */
export class SendCoalescer {
  readonly #socket: Socket;
  #given: (() => void)[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** @returns what the work returns, or throws */
  do<T>(work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const run = () => {
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
      };
      if (this.#given.push(run) === 1) process.nextTick(() => this.#doAll());
    });
  }

  #doAll(): void {
    const given = this.#given;
    this.#given = [];
    this.#socket.together(() => {
      for (const run of given) run();
    });
  }
}
