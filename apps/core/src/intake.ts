import type { Entry } from '@hooligram/bus';
import type { CoreRequest, Outcome, RequestKind } from '@hooligram/contract';
import type { Context } from './context.ts';
import { createLane, type Lane } from './lane.ts';
import type { Handler } from './requests/handler.ts';
import { handlers } from './requests/index.ts';

export type Intake = {
  /** Resolves when there is room for more requests. */
  room(): Promise<void>;
  take(entry: Entry<CoreRequest>): void;
  /** Resolves when everything taken has been answered. */
  idle(): Promise<void>;
};

/**
 * Takes entries apart into their kinds, and answers and acknowledges each entry when all of its requests have
 * their outcome. Kinds do not wait for each other: a session never has two kinds under way.
 */
export function createIntake(context: Context): Intake {
  const { outbox, config, log, metrics } = context;
  const lanes = new Map<string, Lane<RequestKind>>(
    (Object.keys(handlers) as RequestKind[]).map((kind) => [
      kind,
      createLane(kind, handlers[kind] as unknown as Handler<RequestKind>, context),
    ]),
  );
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
    let unknown = false;
    pending += open;

    function done(requests: readonly CoreRequest[], outcomes: readonly (Outcome | undefined)[]): void {
      for (const [index, { ref, kind }] of requests.entries()) {
        const outcome = outcomes[index];
        metrics.answered(kind, outcome);
        if (outcome) outbox.answer(entry.node, { ref, ...outcome });
        else unknown = true;
      }
      open -= requests.length;
      // What nobody knows the end of stays pending, to be claimed and run again.
      if (open === 0 && !unknown) outbox.finish(entry.id);
      settle(requests.length);
    }

    if (open === 0) outbox.finish(entry.id);
    for (const [kind, requests] of byKind(entry.requests)) {
      const lane = lanes.get(kind);
      const run = { deadline: entry.deadline, requests, done: done.bind(undefined, requests) };
      if (lane) lane.push(run);
      else {
        log.warn({ kind }, 'request of an unknown kind; is the gateway newer than this core?');
        run.done(requests.map(() => ({ ok: false, errors: ['server busy'] })));
      }
    }
  }

  return {
    room: () => until(() => pending < config.CORE_REQUESTS_MAX),
    take,
    async idle() {
      await until(() => pending === 0);
      await outbox.flushed();
    },
  };
}

function byKind(requests: readonly CoreRequest[]): Map<string, CoreRequest[]> {
  const kinds = new Map<string, CoreRequest[]>();
  for (const request of requests) {
    const list = kinds.get(request.kind);
    if (list) list.push(request);
    else kinds.set(request.kind, [request]);
  }
  return kinds;
}
