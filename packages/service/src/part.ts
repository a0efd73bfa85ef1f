import type { Log } from './log.ts';
import { seeOf } from './runbook.ts';

/** A loop, or a connection: it is tried again for as long as it fails. */
export type Part = {
  /** It failed, and will be tried again. */
  failed(reason: string): void;
  /** It works. May be called every time, because it costs nothing. */
  works(): void;
};

/**
 * The log has a line when a part begins to fail, some with the number of failures while it goes on (it counts what
 * repeats), and one when it works again.
 *
 * @returns the part, with a condition of readiness: it works, or why it does not
 */
export function createPart(name: string, log: Log): Part & { check(): true | string } {
  const see = seeOf(name);
  let failure: string | undefined;
  let failures = 0;
  let failedAt = 0;
  return {
    failed(reason) {
      if (failures === 0) failedAt = Date.now();
      failures += 1;
      failure = reason;
      log.warn({ part: name, reason, failures, see }, 'fails and is tried again');
    },
    works() {
      if (failures === 0) return;
      log.info({ part: name, failures, afterMs: Date.now() - failedAt, see }, 'works again');
      failures = 0;
      failure = undefined;
    },
    check: () => failure ?? true,
  };
}
