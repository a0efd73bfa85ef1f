import { setTimeout as pause } from 'node:timers/promises';
import { inspect } from 'node:util';

/**
 * How long a test waits at most, in milliseconds, for something that must happen. Only a failing test waits so
 * long: on a busy machine everything still happens, later. Jest's `testTimeout` is longer, so that the wait
 * that failed says what it waited for.
 */
export const patienceMs = 60_000;

/** The same for a process that starts, and for the stores of a run: it is many steps to their readiness. */
export const startPatienceMs = 4 * patienceMs;

/** Between two looks: long enough to leave the CPU to what is waited for. */
const pollMs = 5;

/**
 * Looks again and again, until what it sees is what was waited for.
 * @param what ends the sentence "waited until ..."
 * @param holds whether this is it. Default: anything but undefined, false, 0 and the like
 * @returns what was seen
 * @throws after `patienceMs`, with what was seen last; at once what `look` throws
 */
export function until<T>(
  what: string,
  look: () => T | Promise<T>,
  holds: (seen: T) => boolean = Boolean,
): Promise<T> {
  let last: { readonly seen: T } | undefined;
  let isOver = false;
  const found = async () => {
    while (!isOver) {
      last = { seen: await look() };
      if (holds(last.seen)) return last.seen;
      await pause(pollMs);
    }
    throw new Error(`gave up waiting until ${what}`);
  };
  return within(`until ${what}`, found(), () => (last ? last.seen : 'nothing yet')).finally(() => {
    isOver = true;
  });
}

/**
 * Waits for a promise that may never be settled.
 * @param what ends the sentence "waited ..."
 * @param saw what there was instead, for the error
 * @throws after `patienceMs`
 */
export async function within<T>(what: string, promise: Promise<T>, saw?: () => unknown): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const seen = saw ? `; saw ${typeof saw() === 'string' ? saw() : inspect(saw(), { depth: 6 })}` : '';
      reject(new Error(`waited ${patienceMs} ms ${what}${seen}`));
    }, patienceMs);
    // An abandoned wait keeps no process alive.
    timer.unref();
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
