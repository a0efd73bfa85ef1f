import { setTimeout as pause } from 'node:timers/promises';
import { hooligramCodec as codec } from './hooligram-codec.ts';
import { LoadWebSocket } from './websocket.ts';

export type StormSpec = {
  /** Where all connect before the storm. */
  readonly url: string;
  /** Where they come back, each to the next one. */
  readonly urls: readonly string[];
  readonly code: string;
  readonly users: number;
  readonly firstNumber: number;
  /** How many groups each of them is in. */
  readonly groupsEach: number;
};

export type StormResult = {
  /** From the end of the first connection until the last client is signed in again and has all its groups. */
  readonly elapsedMs: number;
  /** Sign-ins that were refused, and connections that the servers closed once they were open again. */
  readonly failures: number;
  /** Handshakes that were refused, or not taken: their clients tried again. */
  readonly refused: number;
};

/** The mobile client waits so long, always. */
const comesBackAfterMs = 1_000;
const signInsAtOnce = 100;
const silenceMaxMs = 120_000;

type Counts = { in: number; failures: number; refused: number };

/** A client of the mobile kind: it sends back every frame, and when its connection ends it comes back a second later. */
class StormClient {
  readonly #spec: StormSpec;
  readonly #counts: Counts;
  readonly #index: number;
  #tries = 0;
  #groups = 0;
  #isIn = false;
  #onIn = () => {};

  constructor(spec: StormSpec, counts: Counts, index: number) {
    this.#spec = spec;
    this.#counts = counts;
    this.#index = index;
  }

  /** Resolves when it is signed in and has all its groups. */
  connect(url: string): Promise<void> {
    return new Promise((resolve) => {
      this.#onIn = resolve;
      this.#open(url);
    });
  }

  #open(url: string): void {
    let isOpen = false;
    this.#groups = 0;
    const id = codec.newId();
    const socket = new LoadWebSocket(url, {
      onOpen: () => {
        isOpen = true;
        const phone_number = String(this.#spec.firstNumber + this.#index);
        const payload = { country_code: '1', phone_number, verification_code: this.#spec.code };
        socket.send(codec.request('AUTHORIZATION_SIGN_IN', id, payload));
      },
      onText: (chunk, start, end) => {
        codec.read(chunk, start, end, {
          onReady() {},
          onMessage() {},
          onGroup: () => this.#onGroup(),
          onReply: (repliedId, isSuccess) => {
            if (repliedId === id && !isSuccess) this.#counts.failures += 1;
            if (repliedId === id && this.#spec.groupsEach === 0) this.#onGroup();
          },
        });
        socket.send(chunk.slice(start, end));
      },
      onClose: () => this.#onClose(isOpen),
    });
  }

  #onGroup(): void {
    this.#groups += 1;
    if (this.#isIn || this.#groups < this.#spec.groupsEach) return;
    this.#isIn = true;
    this.#counts.in += 1;
    this.#onIn();
  }

  #onClose(wasOpen: boolean): void {
    if (this.#isIn) this.#counts.in -= 1;
    else if (wasOpen) this.#counts.failures += 1;
    else this.#counts.refused += 1;
    this.#isIn = false;
    const { urls } = this.#spec;
    const next = urls[(this.#index + this.#tries) % urls.length] as string;
    this.#tries += 1;
    setTimeout(() => this.#open(next), comesBackAfterMs);
  }
}

/** Clients who have signed up before, on one gateway until it goes. */
export class StormClients {
  readonly #spec: StormSpec;
  readonly #counts: Counts = { in: 0, failures: 0, refused: 0 };

  constructor(spec: StormSpec) {
    this.#spec = spec;
  }

  /** Resolves when all are signed in. */
  async connect(): Promise<void> {
    const { users, url } = this.#spec;
    for (let start = 0; start < users; start += signInsAtOnce) {
      const indices = Array.from({ length: Math.min(signInsAtOnce, users - start) }, (_, at) => start + at);
      await Promise.all(
        indices.map((index) => new StormClient(this.#spec, this.#counts, index).connect(url)),
      );
    }
  }

  /** Waits until their gateway has gone and all of them are back. @throws Error when that does not happen */
  async storm(): Promise<StormResult> {
    const { users } = this.#spec;
    const before = { ...this.#counts };
    const isAll = () => this.#counts.in === users;
    await this.#until(() => !isAll());
    const startedAt = performance.now();
    // The connections end within a moment, and nobody is back before their second is over.
    await pause(comesBackAfterMs / 2);
    await this.#until(isAll);
    return {
      elapsedMs: performance.now() - startedAt,
      failures: this.#counts.failures - before.failures,
      refused: this.#counts.refused - before.refused,
    };
  }

  async #until(reached: () => boolean): Promise<void> {
    let known = -1;
    let progressAt = performance.now();
    while (!reached()) {
      if (this.#counts.in !== known) progressAt = performance.now();
      known = this.#counts.in;
      if (performance.now() - progressAt > silenceMaxMs) {
        throw new Error(
          `${known} of ${this.#spec.users} clients are in, and no more for ${silenceMaxMs / 1_000} s`,
        );
      }
      await pause(5);
    }
  }
}
