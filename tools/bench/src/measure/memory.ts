import { setTimeout as pause } from 'node:timers/promises';
import { usageOf } from './processes.ts';
import { type Roles, usageByRole } from './roles.ts';

const everyMs = 1_000;
/** V8 gives back what quick work has left in several steps, the last of them 30 to 60 seconds after it (docs/performance.md#idle). */
const restMs = 75_000;
const restPatienceMs = 240_000;
/** What moves by less than this share of it is at rest. */
const restShare = 0.01;

type Megabytes = { readonly before: number; readonly peak: number; readonly after: number };

/** Reads how much memory the roles have, once a second, from its making until `stop` or until the trial is given up. */
export class MemoryWatch {
  readonly #roles: () => Roles;
  readonly #before: Readonly<Record<string, number>>;
  readonly #peak: Record<string, number>;
  readonly #timer: NodeJS.Timeout;

  constructor(roles: () => Roles, signal: AbortSignal) {
    this.#roles = roles;
    this.#before = this.#read();
    this.#peak = { ...this.#before };
    this.#timer = setInterval(() => this.#look(), everyMs);
    signal.addEventListener('abort', () => this.stop());
  }

  /** @returns resident megabytes as figures, `<role>_before_mb`, `_peak_mb` and `_after_mb`, which is now */
  figures(): Record<string, number> {
    const after = this.#look();
    return Object.fromEntries(
      Object.entries(after).flatMap(([role, bytes]) => [
        [`${role}_before_mb`, (this.#before[role] ?? 0) / 1e6],
        [`${role}_peak_mb`, (this.#peak[role] ?? 0) / 1e6],
        [`${role}_after_mb`, bytes / 1e6],
      ]),
    );
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): Record<string, number> {
    const now = this.#read();
    for (const [role, bytes] of Object.entries(now)) {
      this.#peak[role] = Math.max(bytes, this.#peak[role] ?? 0);
    }
    return now;
  }

  /** Bytes. Postgres counts shared memory in each of its processes, so it is left out. */
  #read(): Record<string, number> {
    const { postgres: _, ...roles } = this.#roles();
    return Object.fromEntries(
      Object.entries(usageByRole(roles)).map(([role, { residentBytes }]) => [role, residentBytes]),
    );
  }
}

/** Whether a value that is read again and again has come to rest. */
export class Rest {
  readonly #forMs: number;
  #value = Number.NaN;
  #since = 0;

  /** @param forMs how long it must stay within a hundredth of what it was when it moved last */
  constructor(forMs: number) {
    this.#forMs = forMs;
  }

  /** @param atMs of a clock that never goes back @returns whether it is at rest */
  note(value: number, atMs: number): boolean {
    const isStill = Math.abs(value - this.#value) <= restShare * this.#value;
    if (!isStill) {
      this.#value = value;
      this.#since = atMs;
    }
    return atMs - this.#since >= this.#forMs;
  }
}

/**
 * The resident bytes of processes and their children once they do not change any more, or after four minutes.
 */
export async function residentBytesAtRest(pids: readonly number[]): Promise<number> {
  const rest = new Rest(restMs);
  const givesUpAt = performance.now() + restPatienceMs;
  for (;;) {
    const { residentBytes } = usageOf(pids);
    if (rest.note(residentBytes, performance.now()) || performance.now() > givesUpAt) return residentBytes;
    await pause(everyMs);
  }
}

/** Memory by role, out of the figures of a trial or their medians. @returns a line each role */
export function memoryLines(figures: Readonly<Record<string, number>>): string[] {
  return Object.keys(figures).flatMap((name) => {
    const role = /^(.+)_peak_mb$/.exec(name)?.[1];
    if (role === undefined) return [];
    const { before, peak, after } = megabytes(figures, role);
    const text = (value: number) => Math.round(value).toLocaleString('en');
    return [`${role} ${text(before)} MB before, at most ${text(peak)}, ${text(after)} after`];
  });
}

function megabytes(figures: Readonly<Record<string, number>>, role: string): Megabytes {
  const of = (when: keyof Megabytes) => figures[`${role}_${when}_mb`] ?? Number.NaN;
  return { before: of('before'), peak: of('peak'), after: of('after') };
}
