import { setTimeout as pause } from 'node:timers/promises';
import type { StackDescription } from '@hooligram/local';
import { type Balancer, startHaproxy, startNginx } from '@hooligram/testkit/balancers';
import type { Failures } from './failures.ts';
import { core, gateway, restarted } from './faults/component.ts';
import type { FaultContext } from './faults/fault.ts';
import { sendSignal } from './faults/signals.ts';
import type { InjectedFault } from './inject-faults.ts';
import type { Probe } from './load/probe.ts';

export const balancers = { haproxy: startHaproxy, nginx: startNginx } as const;
export type BalancerName = keyof typeof balancers;

/** How often each process is replaced. */
const rounds = 2;
const readyTimeoutMs = 120_000;
const pollMs = 50;
/** When the connections of the gateways are counted, after the last process was replaced. */
const levelAfterMs = 60_000;

/** What became of an update, which is no fault: no request may fail. */
export type Update = {
  readonly tookMs: number;
  readonly failures: Failures;
  /** Connections of each gateway, a minute after the last restart; undefined without a load balancer. */
  readonly connections: readonly number[] | undefined;
};

/** How far the gateway that is furthest from the mean is from it, as a part of it. */
export function unevenness(connections: readonly number[]): number {
  const mean = connections.reduce((sum, count) => sum + count, 0) / connections.length;
  return Math.max(...connections.map((count) => Math.abs(count - mean))) / mean;
}

/** The load balancer in front of all gateways of a stack. */
export function startBalancer(name: BalancerName, stack: StackDescription): Promise<Balancer> {
  return balancers[name](stack.gateways.map(({ url, admin }) => ({ url, adminUrl: admin })));
}

/**
 * Replaces every gateway and every core, one at a time, twice, and reloads the load balancer in between, as a
 * deployment does: the next one when the one before is ready.
 */
export async function roll(context: FaultContext, probe: Probe, balancer: Balancer): Promise<InjectedFault> {
  probe.takeLongestSilence();
  const beganAt = performance.now();
  for (let round = 1; round <= rounds; round += 1) {
    const { gateways, cores } = context.stack();
    const components = [...gateways.map((_, i) => gateway(i)), ...cores.map((_, i) => core(i))];
    for (const component of components) {
      const pid = component.pid(context.stack());
      context.log(`SIGTERM to ${component.name} (pid ${pid})`);
      sendSignal(pid, 'SIGTERM');
      await restarted(context, component, pid);
      await allReady(context);
    }
    context.log('the load balancer reads its configuration again');
    balancer.reload();
  }
  const endedAt = performance.now();
  return { name: 'rolling update', beganAt, endedAt, recoveryMs: 0, silenceMs: probe.takeLongestSilence() };
}

export async function allReady({ stack, signal }: FaultContext): Promise<void> {
  const deadline = Date.now() + readyTimeoutMs;
  const admins = () => [...stack().gateways, ...stack().cores].map(({ admin }) => admin);
  const isReady = async (admin: string) => (await fetch(`${admin}/readyz`)).ok;
  for (;;) {
    const ready = await Promise.all(admins().map((admin) => isReady(admin).catch(() => false)));
    if (ready.every(Boolean)) return;
    if (Date.now() > deadline) throw new Error('a process that was replaced is not ready');
    await pause(pollMs, undefined, { signal });
  }
}

/** Waits until a minute after the last restart. @returns how many connections each gateway has then */
export async function countConnections({ stack, signal }: FaultContext, endedAt: number): Promise<number[]> {
  const leftMs = endedAt + levelAfterMs - performance.now();
  if (leftMs > 0) await pause(leftMs, undefined, { signal });
  return Promise.all(
    stack().gateways.map(async ({ admin }) => {
      const text = await (await fetch(`${admin}/metrics`)).text();
      return Number(/^hooligram_gateway_connections(?:\{[^}]*\})? (\d+)/m.exec(text)?.[1] ?? Number.NaN);
    }),
  );
}
