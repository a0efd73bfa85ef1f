import type { Log } from './log.ts';

/** A loop, or a connection: it is tried again for as long as it fails. */
export type Part = {
  /** It failed, and will be tried again. */
  failed(reason: string): void;
  /** It works. May be called every time, because it costs nothing. */
  works(): void;
};

const reminderMs = 60_000;

/**
 * The log has a line when a part begins to fail, one with the number of failures each minute that it goes on, and
 * one when it works again.
 *
 * @returns the part, with a condition of readiness: it works, or why it does not
 */
export function createPart(name: string, log: Log): Part & { check(): true | string } {
  let failure: string | undefined;
  let failures = 0;
  let failedAt = 0;
  let loggedAt = 0;
  return {
    failed(reason) {
      const now = Date.now();
      if (failures === 0) failedAt = now;
      failures += 1;
      failure = reason;
      if (failures > 1 && now - loggedAt < reminderMs) return;
      loggedAt = now;
      log.warn({ part: name, reason, failures }, 'fails and is tried again');
    },
    works() {
      if (failures === 0) return;
      log.info({ part: name, failures, afterMs: Date.now() - failedAt }, 'works again');
      failures = 0;
      failure = undefined;
    },
    check: () => failure ?? true,
  };
}
