/**
 * - `ok`: as it should be
 * - `warning`: it works, and something will hurt some day
 * - `fault`: it does not work, or loses what was promised
 * - `unknown`: it could not be found out
 */
export type Verdict = 'ok' | 'warning' | 'fault' | 'unknown';

export type Finding = {
  /** For scripts: the part, and what of it, such as `redis.eviction`. */
  readonly name: string;
  readonly verdict: Verdict;
  /** One line. */
  readonly text: string;
  /** How to mend it; only where something is to be mended. */
  readonly cure?: string | undefined;
};

export const ok = (name: string, text: string): Finding => ({ name, verdict: 'ok', text });
export const unknown = (name: string, text: string): Finding => ({ name, verdict: 'unknown', text });
export const warning = (name: string, text: string, cure: string): Finding => ({
  name,
  verdict: 'warning',
  text,
  cure,
});
export const fault = (name: string, text: string, cure: string): Finding => ({
  name,
  verdict: 'fault',
  text,
  cure,
});

/** More than this apart, and times in logs and delays of jobs mislead. */
const clockApartMaxMs = 1_000;

/** @param aheadMs of this machine's clock @param roundTripMs what the question took: half of it is uncertain */
export function clockFinding(name: string, whose: string, aheadMs: number, roundTripMs: number): Finding {
  const text = `the clock of ${whose} is ${Math.abs(Math.round(aheadMs))} ms ${aheadMs < 0 ? 'behind' : 'ahead of'} this machine's`;
  if (Math.abs(aheadMs) - roundTripMs / 2 <= clockApartMaxMs) return ok(name, text);
  return warning(
    name,
    text,
    'have all machines keep time with NTP (chrony, systemd-timesyncd): timedatectl shows it',
  );
}
