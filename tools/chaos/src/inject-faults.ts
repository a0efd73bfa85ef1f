import { setTimeout as pause } from 'node:timers/promises';
import type { FaultContext } from './faults/fault.ts';
import { type FaultName, faults } from './faults/index.ts';
import type { Probe } from './load/probe.ts';

/** A fault that was injected once. All that happens until the next one begins belongs to it. */
export type InjectedFault = {
  readonly name: string;
  readonly beganAt: number;
  /** The component was back, or the fault over. */
  readonly endedAt: number;
  /** From then until new messages crossed between all gateways, and went on to do so; undefined when not in time. */
  readonly recoveryMs: number | undefined;
  /** The longest time without a message from some gateway to the next, since the fault began. */
  readonly silenceMs: number;
};

const recoveryTimeoutMs = 60_000;
const pollMs = 10;
/**
 * So long must messages cross without a silence: the effects of a fault often show a little later, because a request
 * whose answer is lost is repeated after seconds. The launcher, too, calls a process steady after this time.
 */
const steadyMs = 6_000;
const silenceMaxMs = 1_000;

/** Injects one fault after the other until the time is up, and measures each. */
export async function injectFaults(
  names: Iterator<FaultName, never>,
  until: number,
  probe: Probe,
  context: FaultContext,
): Promise<InjectedFault[]> {
  const injected: InjectedFault[] = [];
  await recovery(performance.now(), probe, context.signal);
  while (performance.now() < until) {
    const { value: name } = names.next();
    injected.push(await measured(name, probe, context, () => faults[name].run(context)));
  }
  return injected;
}

/** Runs a fault, and waits until messages cross steadily again. */
export async function measured(
  name: string,
  probe: Probe,
  { signal, log }: Pick<FaultContext, 'signal' | 'log'>,
  fault: () => Promise<void>,
): Promise<InjectedFault> {
  probe.takeLongestSilence();
  const beganAt = performance.now();
  await fault();
  const endedAt = performance.now();
  const recoveryMs = await recovery(endedAt, probe, signal);
  const silenceMs = probe.takeLongestSilence();
  log(
    recoveryMs === undefined
      ? `${name}: no message crosses ${recoveryTimeoutMs / 1000} s after the fault`
      : `${name}: messages cross ${seconds(recoveryMs)} s after; longest silence ${seconds(silenceMs)} s`,
  );
  return { name, beganAt, endedAt, recoveryMs, silenceMs };
}

async function recovery(endedAt: number, probe: Probe, signal: AbortSignal): Promise<number | undefined> {
  let brokenAt = endedAt;
  let crossedAt: number | undefined;
  while (crossedAt === undefined || performance.now() - crossedAt < steadyMs) {
    if (performance.now() - endedAt > recoveryTimeoutMs) return undefined;
    if (probe.silenceMs() > silenceMaxMs) {
      brokenAt = performance.now();
      crossedAt = undefined;
    } else if (probe.hasCrossedSince(brokenAt)) crossedAt ??= performance.now();
    await pause(pollMs, undefined, { signal });
  }
  return crossedAt - endedAt;
}

export function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
