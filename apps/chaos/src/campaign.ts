import { setTimeout as pause } from 'node:timers/promises';
import type { HarmContext } from './harms/harm.ts';
import { type HarmName, harms } from './harms/index.ts';
import { now } from './load/clock.ts';
import type { Probe } from './load/probe.ts';

/** One harm that was done. What happens until the next one begins is put down to it. */
export type HarmDone = {
  readonly name: HarmName;
  readonly beganAt: number;
  /** The harmed part was back, or the harm over. */
  readonly endedAt: number;
  /** From then until a new message had crossed all gateways; undefined when none did in time. */
  readonly recoveryMs: number | undefined;
  /** The longest time without a message between two gateways, from the beginning until then. */
  readonly silenceMs: number;
};

const recoveryTimeoutMs = 60_000;
const pollMs = 10;
/**
 * After each recovery, so that the next harm meets a system at work; and long enough for a process to count as
 * steady, or else the launcher waits longer before each start.
 */
const restMs = 6_000;

/** Does one harm after the other until the time is up, and measures each. */
export async function runCampaign(
  names: Iterator<HarmName, never>,
  until: number,
  probe: Probe,
  context: HarmContext,
): Promise<HarmDone[]> {
  const done: HarmDone[] = [];
  while (now() < until) {
    await pause(restMs, undefined, { signal: context.signal });
    const { value: name } = names.next();
    probe.takeLongestSilence();
    const beganAt = now();
    await harms[name].run(context);
    const endedAt = now();
    const recoveryMs = await recovery(endedAt, probe, context.signal);
    const silenceMs = probe.takeLongestSilence();
    done.push({ name, beganAt, endedAt, recoveryMs, silenceMs });
    context.log(
      recoveryMs === undefined
        ? `${name}: no message crosses ${recoveryTimeoutMs / 1000} s after the harm`
        : `${name}: messages cross ${seconds(recoveryMs)} s after; longest silence ${seconds(silenceMs)} s`,
    );
  }
  return done;
}

async function recovery(endedAt: number, probe: Probe, signal: AbortSignal): Promise<number | undefined> {
  while (!probe.hasCrossedSince(endedAt)) {
    if (now() - endedAt > recoveryTimeoutMs) return undefined;
    await pause(pollMs, undefined, { signal });
  }
  return now() - endedAt;
}

export function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
