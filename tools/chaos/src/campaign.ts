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
  /** From then until new messages crossed between all gateways, and went on to; undefined when not in time. */
  readonly recoveryMs: number | undefined;
  /** The longest time without a message on the way from one gateway to the next, since the beginning. */
  readonly silenceMs: number;
};

const recoveryTimeoutMs = 60_000;
const pollMs = 10;
/**
 * So long must messages cross without a silence. What a harm has cost often shows a little later: an answer that is
 * lost is asked for again after seconds. It is also what the launcher waits for to call a process steady.
 */
const steadyMs = 6_000;
const silenceMaxMs = 1_000;

/** Does one harm after the other until the time is up, and measures each. */
export async function runCampaign(
  names: Iterator<HarmName, never>,
  until: number,
  probe: Probe,
  context: HarmContext,
): Promise<HarmDone[]> {
  const done: HarmDone[] = [];
  await recovery(now(), probe, context.signal);
  while (now() < until) {
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
  let brokenAt = endedAt;
  let crossedAt: number | undefined;
  while (crossedAt === undefined || now() - crossedAt < steadyMs) {
    if (now() - endedAt > recoveryTimeoutMs) return undefined;
    if (probe.silenceMs() > silenceMaxMs) {
      brokenAt = now();
      crossedAt = undefined;
    } else if (probe.hasCrossedSince(brokenAt)) crossedAt ??= now();
    await pause(pollMs, undefined, { signal });
  }
  return crossedAt - endedAt;
}

export function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
