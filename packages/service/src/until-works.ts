import { setTimeout as pause } from 'node:timers/promises';
import type { Lifecycle } from './lifecycle.ts';

const pauseMinMs = 250;
const pauseMaxMs = 5_000;

/**
 * Tries something until it succeeds, with growing pauses: a store that a process needs at its start may be away. Until
 * then the process is not ready, and the log and /readyz say what it waits for.
 *
 * @param name of the part, as the log and /readyz name it
 * @returns what `attempt` resolved with
 * @throws when the process is told to stop meanwhile
 */
export async function untilWorks<T>(
  lifecycle: Pick<Lifecycle, 'part' | 'stopping'>,
  name: string,
  attempt: () => Promise<T>,
): Promise<T> {
  const part = lifecycle.part(name);
  for (let pauseMs = pauseMinMs; ; pauseMs = Math.min(2 * pauseMs, pauseMaxMs)) {
    lifecycle.stopping.throwIfAborted();
    try {
      const result = await attempt();
      part.works();
      return result;
    } catch (error) {
      if (lifecycle.stopping.aborted) throw error;
      part.failed(error instanceof Error ? error.message || String(error) : String(error));
    }
    await pause(pauseMs, undefined, { signal: lifecycle.stopping });
  }
}
