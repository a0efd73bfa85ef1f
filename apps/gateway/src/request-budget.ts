/** What a request has no room in. */
export type FullBudget = 'connection' | 'gateway';

type Options = {
  /** Most bytes of one connection. */
  readonly connectionBytesMax: number;
  /** Most bytes of all connections of the gateway. */
  readonly gatewayBytesMax: number;
};

/**
 * The bytes of clients' requests that have no answer yet, as they came. Up to half of what the gateway has, a connection
 * is bounded by itself alone. Beyond that the connections share the half: one that holds more than an equal part is
 * refused, so those that hold most are refused first. All of it bounds everybody.
 */
export class RequestBudget {
  readonly #options: Options;
  #bytes = 0;
  #holders = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  /** How many bytes all connections hold. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * @param held what the connection holds already
   * @returns what has no room for so many more bytes of this connection; undefined if there is room
   */
  refusal(held: number, bytes: number): FullBudget | undefined {
    const { connectionBytesMax, gatewayBytesMax } = this.#options;
    if (held > 0 && held + bytes > connectionBytesMax) return 'connection';
    const all = this.#bytes + bytes;
    const shared = gatewayBytesMax / 2;
    if (all <= shared) return undefined;
    const holders = held === 0 ? this.#holders + 1 : this.#holders;
    return all > gatewayBytesMax || held + bytes > shared / holders ? 'gateway' : undefined;
  }

  /** A connection holds so many bytes more, or fewer. @param held what it held before @returns what it holds now */
  move(held: number, bytes: number): number {
    const now = held + bytes;
    this.#bytes += bytes;
    if (held === 0 && now > 0) this.#holders += 1;
    if (held > 0 && now === 0) this.#holders -= 1;
    return now;
  }
}
