import type { Check } from './lifecycle.ts';

export type Probe = {
  /** The last answer, or that none came for too long. Costs nothing. */
  check(): true | string;
  close(): void;
};

/**
 * Repeats one check in the background, one at a time. An answer counts at once; a missing answer counts after
 * `silenceMaxMs`, because a busy store answers late and works all the same.
 *
 * @param ask `true`, or what is wrong; may reject
 */
export function startProbe({
  ask,
  everyMs = 1_000,
  silenceMaxMs = 3_500,
}: {
  ask: Check;
  everyMs?: number;
  silenceMaxMs?: number;
}): Probe {
  let wrong: string | undefined;
  let answeredAt = Date.now();
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;

  async function look(): Promise<void> {
    try {
      const answer = await ask();
      wrong = answer === true ? undefined : answer;
    } catch (error) {
      wrong = error instanceof Error ? error.message || String(error) : String(error);
    }
    answeredAt = Date.now();
    if (!isClosed) timer = setTimeout(look, everyMs);
  }
  void look();

  return {
    check() {
      const silenceMs = Date.now() - answeredAt;
      if (silenceMs > silenceMaxMs) return `no answer for ${silenceMs} ms`;
      return wrong ?? true;
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
