import type { Rate } from './config.ts';

/** Points that were taken in this process. In memory, so it always answers, and at once. */
export interface OwnCount {
  /** Takes a point; false if there was none left. */
  take(key: string): boolean;
  hasLeft(key: string): boolean;
  /** Takes a point, left or not. */
  lose(key: string): void;
  giveBack(key: string): void;
}

/** Beyond this the oldest are forgotten: a flood of new numbers and addresses must not fill the memory. */
const keysMax = 100_000;

type Window = { used: number; readonly endsAt: number };

export function createOwnCount({ points, seconds }: Rate): OwnCount {
  // In the order in which they began. All are equally long, so the first are the first to end.
  const windows = new Map<string, Window>();

  function find(key: string): Window | undefined {
    const window = windows.get(key);
    return window && window.endsAt > performance.now() ? window : undefined;
  }

  function begin(key: string): Window {
    const now = performance.now();
    const window = { used: 0, endsAt: now + seconds * 1_000 };
    windows.delete(key);
    windows.set(key, window);
    for (const [known, { endsAt }] of windows) {
      if (endsAt > now && windows.size <= keysMax) break;
      windows.delete(known);
    }
    return window;
  }

  const hasLeft = (key: string) => (find(key)?.used ?? 0) < points;

  function lose(key: string): void {
    const window = find(key) ?? begin(key);
    window.used += 1;
  }

  return {
    hasLeft,
    lose,
    take(key) {
      if (!hasLeft(key)) return false;
      lose(key);
      return true;
    },
    giveBack(key) {
      const window = find(key);
      if (!window) return;
      window.used -= 1;
      if (window.used <= 0) windows.delete(key);
    },
  };
}
