import { type Entry, reasonOf } from '@hooligram/bus';
import type { CoreRequest, Outcome, RequestType } from '@hooligram/contract';
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
 * Takes entries apart into their types, and answers and acknowledges each entry when all of its requests have
 * their outcome. Kinds do not wait for each other: a session never has two types under way.
 */
export function createIntake(context: Context): Intake {
  const { publisher, config, log, metrics, audits } = context;
  const lanes = new Map<string, Lane<RequestType>>(
    (Object.keys(handlers) as RequestType[]).map((type) => [
      type,
      createLane(type, handlers[type] as unknown as Handler<RequestType>, context),
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
      for (const [index, { ref, type }] of requests.entries()) {
        // What expired gets no answer: its gateway may have written it again, and that one may still run.
        const outcome = outcomes === 'expired' ? outcomes : outcomes[index];
        metrics.answered(type, outcome);
        if (outcome === undefined) isKnown = false;
        else if (outcome !== 'expired') publisher.answer(entry.node, answerOf(context, ref, outcome));
      }
      open -= requests.length;
      if (open === 0) finish(entry.id, isKnown);
      settle(requests.length);
    }

    if (open === 0) finish(entry.id, isKnown);
    for (const [type, requests] of byKind(asked)) {
      const lane = lanes.get(type) as Lane<RequestType>;
      const push = (some: CoreRequest[]) =>
        lane.push({ deadline: entry.deadline, requests: some, done: done.bind(undefined, some) });
      if (handlers[type].batchMax === 1) for (const request of requests) push([request]);
      else push(requests);
    }
  }

  function finish(id: string, isKnown: boolean): void {
    const finished = armed()
      // What nobody knows the end of stays pending, to be claimed and run again. So does what is not armed.
      .then((isArmed) => isArmed && isKnown && publisher.finish(id))
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
      await publisher.flushed();
    },
  };
}

function byKind(requests: readonly CoreRequest[]): Map<RequestType, CoreRequest[]> {
  const types = new Map<RequestType, CoreRequest[]>();
  for (const request of requests) {
    const list = types.get(request.type);
    if (list) list.push(request);
    else types.set(request.type, [request]);
  }
  return types;
}
