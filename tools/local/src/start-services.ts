import { allOrNothing } from './all-or-nothing.ts';
import type { ProcessSpec } from './running-process.ts';
import { pidKeeper, type StackRun } from './stack-run.ts';
import { SupervisedProcess } from './supervise.ts';

const readyTimeoutMs = 60_000;
const answerTimeoutMs = 2_000;

export type RunningService<Place> = {
  readonly place: Place;
  readonly process: SupervisedProcess;
};

/**
 * Starts gateways or cores side by side.
 * @returns when all of them are ready, in the order given
 * @throws StartError with the end of the log of one that is not
 */
export function startServices<Place extends { readonly admin: string }>(
  run: StackRun,
  places: readonly Place[],
  specOf: (place: Place) => ProcessSpec,
): Promise<readonly RunningService<Place>[]> {
  const close = run.closing.stage();
  const starts = places.map((place) => async (signal: AbortSignal) => {
    const spec = specOf(place);
    const process = await SupervisedProcess.start(spec, {
      isReady: () => isReady(place.admin),
      readyTimeoutMs,
      restart: true,
      signal,
      log: run.progress.line,
      onPid: pidKeeper(run, spec.name, 'SIGKILL'),
    });
    close(() => process.stop());
    return { place, process };
  });
  return allOrNothing(run.signal, ...starts);
}

async function isReady(admin: string): Promise<boolean> {
  const answer = await fetch(`${admin}/readyz`, { signal: AbortSignal.timeout(answerTimeoutMs) });
  return answer.status === 200;
}
