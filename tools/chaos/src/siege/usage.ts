import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { StackDescription } from '@hooligram/local';
import { metrics } from '@hooligram/testkit';
import { type Memory, readMemory } from '../memory.ts';
import type { Progress } from './attack.ts';

const collector = fileURLToPath(new URL('./collect-garbage.js', import.meta.url));
/** A process that is busy collects when its next tick begins, and gives pages back a little later. */
const collectMs = 2_000;

/** The environment of a stack whose processes collect garbage when they are asked to. */
export const collectingEnv = { NODE_OPTIONS: `--import ${collector}` };

/**
 * Seconds of CPU a second: of all gateways, of all cores, of the attacker, and of everything on the machine. And how late the
 * event loops were: the 99th percentile in milliseconds, of the gateway and of the core that were latest.
 */
export type Cpu = {
  readonly gateways: number;
  readonly cores: number;
  readonly attacker: number;
  readonly machine: number;
  readonly gatewayLateMs: number;
  readonly coreLateMs: number;
};

/** What was used during a pause. */
export async function cpuDuring(
  pauseMs: number,
  stack: () => StackDescription,
  signal: AbortSignal,
  attacker?: ChildProcess,
): Promise<Cpu> {
  const startedAt = performance.now();
  const first = await readCpu(stack(), attacker);
  await pause(pauseMs, undefined, { signal });
  const last = await readCpu(stack(), attacker);
  const seconds = (performance.now() - startedAt) / 1_000;
  return {
    gateways: (last.gateways - first.gateways) / seconds,
    cores: (last.cores - first.cores) / seconds,
    attacker: (last.attacker - first.attacker) / seconds,
    machine: (last.machine - first.machine) / seconds,
    gatewayLateMs: last.gatewayLateMs,
    coreLateMs: last.coreLateMs,
  };
}

/** @returns seconds of CPU so far, and how late event loops were since they were last asked */
async function readCpu({ gateways, cores }: StackDescription, attacker?: ChildProcess): Promise<Cpu> {
  const read = (nodes: readonly { readonly admin: string }[]) =>
    Promise.all(nodes.map(({ admin }) => metrics(admin)));
  const [ofGateways, ofCores] = [await read(gateways), await read(cores)];
  const seconds = (all: typeof ofGateways) =>
    all.reduce((total, { value }) => total + value('process_cpu_seconds_total'), 0);
  const lateMs = (all: typeof ofGateways) =>
    Math.max(...all.map(({ value }) => value('nodejs_eventloop_lag_p99_seconds') * 1_000));
  return {
    gateways: seconds(ofGateways),
    cores: seconds(ofCores),
    gatewayLateMs: lateMs(ofGateways),
    coreLateMs: lateMs(ofCores),
    attacker: attacker ? (await askAttacker(attacker)).cpuSeconds : 0,
    machine:
      cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0) / 1_000,
  };
}

/**
 * @returns seconds of CPU that an attacker has used so far, and how far its people have come
 * @throws Error when it has died
 */
export function askAttacker(attacker: ChildProcess): Promise<{ cpuSeconds: number; progress: Progress }> {
  return answerTo(attacker, 'usage');
}

/** Sends a message to another process of ours. @returns its answer @throws Error when it died instead of answering */
export async function answerTo<T>(process: ChildProcess, message: object | string): Promise<T> {
  const over = new AbortController();
  const died = once(process, 'exit', { signal: over.signal }).then(([code, signal]) => {
    throw new Error(`the attacker has died: ${signal ?? code}`);
  });
  died.catch(() => {});
  try {
    if (process.exitCode !== null || process.signalCode !== null) {
      throw new Error(`the attacker has died: ${process.signalCode ?? process.exitCode}`);
    }
    // What it cannot be sent it cannot answer: its end is told by the event.
    process.send?.(message, () => {});
    const [answer] = await Promise.race([once(process, 'message', { signal: over.signal }), died]);
    return answer;
  } finally {
    over.abort();
  }
}

/** What the processes keep: their memory after all garbage was collected. */
export async function readKeptMemory(stack: StackDescription, signal: AbortSignal): Promise<Memory> {
  for (const { pid } of [...stack.gateways, ...stack.cores]) process.kill(pid, 'SIGUSR2');
  await pause(collectMs, undefined, { signal });
  return readMemory(stack);
}
