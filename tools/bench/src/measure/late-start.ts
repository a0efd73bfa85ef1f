import type { Roles } from './roles.ts';

/** Shorter than Node needs to load its first file. */
const lookEveryMs = 2;

/** Keeps the process that the launcher starts in place of a gateway from starting, until it may: it is stopped as soon as it is there. */
export class LateStart {
  readonly #timer: NodeJS.Timeout;
  #stopped: number | undefined;

  /** @param gone the pid of the gateway that has gone */
  constructor(roles: () => Roles, gone: number) {
    this.#timer = setInterval(() => {
      const pid = roles().gateway?.[0];
      if (pid === undefined || pid === gone) return;
      clearInterval(this.#timer);
      process.kill(pid, 'SIGSTOP');
      this.#stopped = pid;
    }, lookEveryMs);
  }

  /** It may start now. Calling it again does nothing. */
  begin(): void {
    clearInterval(this.#timer);
    if (this.#stopped !== undefined) process.kill(this.#stopped, 'SIGCONT');
    this.#stopped = undefined;
  }
}
