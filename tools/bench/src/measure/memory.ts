import { type Roles, usageByRole } from './roles.ts';

const everyMs = 1_000;

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
