import { randomUUID } from 'node:crypto';
import type { RequestWriter } from '@hooligram/bus';
import type { AnswerOf, CoreAnswer, CoreRequest, Outcome, ParamsOf, RequestKind } from '@hooligram/contract';
import { errorTexts } from '@hooligram/protocol';

/**
 * What the core answered. `isUnknown`: no answer came in time, so the request may or may not have had its
 * effect; saying FAILURE would be a lie.
 */
export type Reply<K extends RequestKind> =
  | { readonly ok: true; readonly answer: AnswerOf<K> }
  | { readonly ok: false; readonly errors: readonly string[]; readonly isUnknown?: true };

export type CoreClient = {
  /**
   * Asks the core. Never throws.
   * @param requestId makes a repetition safe; a new one unless given
   * @param run whose order counts: what is asked for the same one in a row is handled in that order
   */
  ask<K extends RequestKind>(
    kind: K,
    params: ParamsOf<K>,
    requestId?: string,
    run?: object,
  ): Promise<Reply<K>>;
  /** Takes one publication of the node's own channel. */
  onAnswers(bytes: Buffer): void;
  /** Takes back what could not be written. `isCertain`: it never left. */
  onWriteFailed(requests: readonly CoreRequest[], isCertain: boolean): void;
  readonly pending: number;
  close(): void;
};

type Waiting = { resolve(reply: Reply<never>): void; readonly givesUpAt: number };

const sweepMs = 250;
const busy = { ok: false, errors: [errorTexts.serverBusy.text] } as const;
const unknown = { ...busy, isUnknown: true } as const;

/** @param patienceMs how long an answer may take; all requests have the same, so the oldest is the next to expire */
export function createCoreClient({
  writer,
  patienceMs,
}: {
  writer: RequestWriter<CoreRequest>;
  patienceMs: number;
}): CoreClient {
  const waiting = new Map<number, Waiting>();
  let lastRef = 0;

  // Answers that arrived while the process was stalled are read before anything is given up: timers run before
  // sockets are read, so one more turn is granted.
  const sweeping = setInterval(() => setImmediate(() => setImmediate(giveUp)), sweepMs);

  function giveUp(): void {
    const now = Date.now();
    for (const [ref, { givesUpAt }] of waiting) {
      if (givesUpAt > now) return;
      settle(ref, unknown);
    }
  }

  function settle(ref: number, reply: Outcome | typeof unknown): void {
    const asked = waiting.get(ref);
    if (!asked) return;
    waiting.delete(ref);
    asked.resolve(reply as Reply<never>);
  }

  return {
    ask(kind, params, requestId = randomUUID(), run) {
      lastRef += 1;
      const ref = lastRef;
      return new Promise((resolve) => {
        waiting.set(ref, { resolve, givesUpAt: Date.now() + patienceMs });
        writer.add({ ref, request_id: requestId, kind, params } as unknown as CoreRequest, run);
      });
    },
    onAnswers(bytes) {
      for (const { ref, ...outcome } of JSON.parse(bytes.toString()) as CoreAnswer[]) settle(ref, outcome);
    },
    onWriteFailed(requests, isCertain) {
      for (const { ref } of requests) settle(ref, isCertain ? busy : unknown);
    },
    get pending() {
      return waiting.size;
    },
    close() {
      clearInterval(sweeping);
      for (const ref of waiting.keys()) settle(ref, unknown);
    },
  };
}
