import { type Entry, reasonOf } from '@hooligram/bus';
import type { CoreRequest, Outcome, RequestKind } from '@hooligram/contract';
import type { Context } from '../context.ts';
import { answerOf, type Handler } from '../requests/handler.ts';
import { handlers } from '../requests/index.ts';
import { createLane, type Lane } from './batcher.ts';
import { readRequests } from './read-requests.ts';

const armingPauseMs = 500;

export type Intake = {
  /** Resolves when there is room for more requests. */
  room(): Promise<void>;
  take(entry: Entry<unknown>): void;
  /** The ids of the entries that are under way here. */
  own(): string[];
  /** Resolves when everything taken has been answered. */
  idle(): Promise<void>;
};

/**
 * Takes entries apart into their kinds, and answers and acknowledges each entry when all of its requests have
 * their outcome. Kinds do not wait for each other: a session never has two kinds under way.
 */
export function createIntake(context: Context): Intake {
  const { outbox, config, log, metrics, audits } = context;
  const lanes = new Map<string, Lane<RequestKind>>(
    (Object.keys(handlers) as RequestKind[]).map((kind) => [
      kind,
      createLane(kind, handlers[kind] as unknown as Handler<RequestKind>, context),
    ]),
  );
  const underWay = new Set<string>();
  const finishing = new Set<Promise<unknown>>();
  let pending = 0;
  let isEnding = false;
  let waiters: (() => void)[] = [];

  function settle(count: number): void {
    pending -= count;
    const awake = waiters;
    waiters = [];
    for (const wake of awake) wake();
  }

  async function until(reached: () => boolean): Promise<void> {
    while (!reached()) await new Promise<void>((resolve) => waiters.push(resolve));
  }

  function take(entry: Entry<unknown>): void {
    const read = readRequests(context, entry);
    const asked = read.requests.map(([, request]) => request);
    let open = asked.length;
    let isKnown = !read.isUnknown;
    pending += open;
    underWay.add(entry.id);

    function done(
      requests: readonly CoreRequest[],
      outcomes: readonly (Outcome | undefined)[] | 'expired',
    ): void {
      for (const [index, { ref, kind }] of requests.entries()) {
        // What expired gets no answer: its gateway may have written it again, and that one may still run.
        const outcome = outcomes === 'expired' ? outcomes : outcomes[index];
        metrics.answered(kind, outcome);
        if (outcome === undefined) isKnown = false;
        else if (outcome !== 'expired') outbox.answer(entry.node, answerOf(context, ref, outcome));
      }
      open -= requests.length;
      if (open === 0) finish(entry.id, isKnown);
      settle(requests.length);
    }

    if (open === 0) finish(entry.id, isKnown);
    for (const [kind, requests] of byKind(asked)) {
      const lane = lanes.get(kind) as Lane<RequestKind>;
      const push = (some: CoreRequest[]) =>
        lane.push({ deadline: entry.deadline, requests: some, done: done.bind(undefined, some) });
      if (handlers[kind].batchMax === 1) for (const request of requests) push([request]);
      else push(requests);
    }
  }

  function finish(id: string, isKnown: boolean): void {
    const finished = armed()
      // What nobody knows the end of stays pending, to be claimed and run again. So does what is not armed.
      .then((isArmed) => isArmed && isKnown && outbox.finish(id))
      .finally(() => {
        underWay.delete(id);
        finishing.delete(finished);
      });
    finishing.add(finished);
  }

  /**
   * Arms again for as long as Redis refuses it. The entry stays in this process's hands meanwhile: another run of it
   * could store what has been answered with FAILURE, because what failed is not remembered.
   *
   * @returns false if this process is to end
   */
  async function armed(): Promise<boolean> {
    for (;;) {
      try {
        await audits.settled();
        return true;
      } catch (error) {
        log.warn({ reason: reasonOf(error) }, 'audits could not be armed');
        if (isEnding) return false;
        await new Promise((resolve) => setTimeout(resolve, armingPauseMs));
      }
    }
  }

  return {
    room: () => until(() => pending < config.CORE_REQUESTS_MAX),
    take,
    own: () => [...underWay],
    async idle() {
      isEnding = true;
      await until(() => pending === 0);
      await Promise.all(finishing);
      await outbox.flushed();
    },
  };
}

function byKind(requests: readonly CoreRequest[]): Map<RequestKind, CoreRequest[]> {
  const kinds = new Map<RequestKind, CoreRequest[]>();
  for (const request of requests) {
    const list = kinds.get(request.kind);
    if (list) list.push(request);
    else kinds.set(request.kind, [request]);
  }
  return kinds;
}
