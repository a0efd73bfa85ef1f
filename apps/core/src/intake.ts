import type { Entry } from '@hooligram/bus';
import type { CoreRequest, Outcome, RequestKind } from '@hooligram/contract';
import type { Context } from './context.ts';
import { createLane, type Lane } from './lane.ts';
import { answerOf, type Handler, refusal } from './requests/handler.ts';
import { handlers } from './requests/index.ts';

export type Intake = {
  /** Resolves when there is room for more requests. */
  room(): Promise<void>;
  take(entry: Entry<CoreRequest>): void;
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

  function take(entry: Entry<CoreRequest>): void {
    let open = entry.requests.length;
    let isKnown = true;
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

    if (open === 0) finish(entry.id, true);
    for (const [kind, requests] of byKind(entry.requests)) {
      const lane = lanes.get(kind);
      const push = (some: CoreRequest[]) =>
        lane?.push({ deadline: entry.deadline, requests: some, done: done.bind(undefined, some) });
      if (lane && handlers[kind].batchMax === 1) for (const request of requests) push([request]);
      else if (lane) push(requests);
      else {
        log.warn({ kind }, 'request of an unknown kind; is the gateway newer than this core?');
        done(
          requests,
          requests.map(() => refusal('internalError')),
        );
      }
    }
  }

  function finish(id: string, isKnown: boolean): void {
    const finished = audits
      .settled()
      .then(
        // What nobody knows the end of stays pending, to be claimed and run again. So does what is not armed.
        () => isKnown && outbox.finish(id),
        (error: Error) => log.warn({ entry: id, reason: error.message }, 'audits could not be armed'),
      )
      .finally(() => {
        underWay.delete(id);
        finishing.delete(finished);
      });
    finishing.add(finished);
  }

  return {
    room: () => until(() => pending < config.CORE_REQUESTS_MAX),
    take,
    own: () => [...underWay],
    async idle() {
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
