import type { Log } from './log.ts';
import { createPart, type Part } from './part.ts';
import { within } from './within.ts';

/** `true` if all is well, else a text that says what is not. May throw or reject: that counts as its message. */
export type Check = () => true | string | Promise<true | string>;

/** What is not as it should be though a check is passed; undefined if there is nothing to say. */
type Remark = () => string | undefined;

export type Readiness = {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, string>>;
  /** Of checks that are passed, by their names; absent if there is none. */
  readonly remarks?: Readonly<Record<string, string>>;
};

export type Lifecycle = {
  /** Aborted as soon as the stop begins. */
  readonly stopping: AbortSignal;
  /** Whether it stops because of an error, and not on purpose. */
  readonly isFailing: boolean;
  /** Registers how to undo what was just started. Called after the stop has begun, it is undone right away. */
  onClose(name: string, close: () => unknown): void;
  /** A condition of readiness, checked at every `/readyz`, which has the remark while the check is passed. */
  check(name: string, check: Check, remark?: Remark): void;
  /** A part that reports itself whether it works: a condition of readiness from now on. */
  part(name: string): Part;
  /** Everything is started: from now on the checks alone decide. */
  markStarted(): void;
  readiness(): Promise<Readiness>;
  /**
   * Not ready from this moment; then undoes what was registered, last first, each after the one before it.
   * Failures, and closes that have not ended by the deadline, are logged; at the deadline all remaining closes
   * begin at once, and nothing is waited for. Resolves, once for all callers, with whether the stop was clean.
   *
   * @param isFailure because of an error
   */
  close(isFailure?: boolean): Promise<boolean>;
};

const checkTimeoutMs = 2_000;

type Closer = {
  readonly name: string;
  readonly close: () => unknown;
};

export function createLifecycle(options: { log: Log; deadlineMs: number }): Lifecycle {
  const { log, deadlineMs } = options;
  const closers: Closer[] = [];
  const checks = new Map<string, Check>();
  const remarks = new Map<string, Remark>();
  const stop = new AbortController();
  let isStarted = false;
  let isFailing = false;
  let closing: Promise<boolean> | undefined;

  return {
    stopping: stop.signal,
    get isFailing() {
      return isFailing;
    },
    onClose(name, close) {
      if (closing) void attempt({ name, close }, log);
      else closers.push({ name, close });
    },
    check(name, check, remark) {
      checks.set(name, check);
      if (remark) remarks.set(name, remark);
    },
    part(name) {
      const part = createPart(name, log);
      checks.set(name, part.check);
      return part;
    },
    markStarted() {
      isStarted = true;
    },
    async readiness() {
      const phase = closing ? 'stopping' : isStarted ? 'ok' : 'starting';
      const results = [...checks].map(async ([name, check]) => [name, await run(check)] as const);
      const answers = [['process', phase] as const, ...(await Promise.all(results))];
      const said = answers.flatMap(([name, answer]) => {
        const remark = answer === 'ok' ? remarks.get(name)?.() : undefined;
        return remark === undefined ? [] : [[name, remark] as const];
      });
      return {
        ready: answers.every(([, answer]) => answer === 'ok'),
        checks: Object.fromEntries(answers),
        ...(said.length > 0 && { remarks: Object.fromEntries(said) }),
      };
    },
    close(isFailure = false) {
      if (!closing) {
        isFailing = isFailure;
        closing = Promise.resolve().then(() => closeAll(closers, log, deadlineMs));
        stop.abort();
      }
      return closing;
    },
  };
}

/** Closes what was started last first. @returns whether all of it closed cleanly, by the deadline */
async function closeAll(closers: Closer[], log: Log, deadlineMs: number): Promise<boolean> {
  let isClean = true;
  const deadline = startDeadline(deadlineMs);
  for (let closer = closers.pop(); closer; closer = closers.pop()) {
    const attempted = attempt(closer, log);
    const outcome = deadline.isOver() ? 'late' : await Promise.race([attempted, deadline.over]);
    if (outcome === 'late') log.error({ part: closer.name, deadlineMs }, 'not stopped by the deadline');
    isClean &&= outcome === true;
  }
  deadline.cancel();
  return isClean;
}

async function attempt({ name, close }: Closer, log: Log): Promise<boolean> {
  try {
    await close();
    return true;
  } catch (err) {
    log.error({ err, part: name }, 'could not be stopped cleanly');
    return false;
  }
}

async function run(check: Check): Promise<string> {
  try {
    const answer = await within(checkTimeoutMs, Promise.resolve(check()));
    return answer === true ? 'ok' : answer;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function startDeadline(afterMs: number) {
  let isOver = false;
  let cancel = () => {};
  const over = new Promise<'late'>((resolve) => {
    const timer = setTimeout(() => {
      isOver = true;
      resolve('late');
    }, afterMs);
    cancel = () => clearTimeout(timer);
  });
  return { over, isOver: () => isOver, cancel };
}
