import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
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

/** Seconds of CPU a second, of all gateways, of all cores and of the attacker. */
export type Cpu = { readonly gateways: number; readonly cores: number; readonly attacker: number };

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
  };
}

/** @returns seconds of CPU so far */
async function readCpu({ gateways, cores }: StackDescription, attacker?: ChildProcess): Promise<Cpu> {
  const sum = async (nodes: readonly { readonly admin: string }[]) => {
    const all = await Promise.all(nodes.map(({ admin }) => metrics(admin)));
    return all.reduce((total, { value }) => total + value('process_cpu_seconds_total'), 0);
  };
  return {
    gateways: await sum(gateways),
    cores: await sum(cores),
    attacker: attacker ? (await askAttacker(attacker)).cpuSeconds : 0,
  };
}

/** @returns seconds of CPU that an attacker has used so far, and how far its people have come */
export async function askAttacker(
  attacker: ChildProcess,
): Promise<{ cpuSeconds: number; progress: Progress }> {
  attacker.send('usage');
  const [answer] = await once(attacker, 'message');
  return answer;
}

/** What the processes keep: their memory after all garbage was collected. */
export async function readKeptMemory(stack: StackDescription, signal: AbortSignal): Promise<Memory> {
  for (const { pid } of [...stack.gateways, ...stack.cores]) process.kill(pid, 'SIGUSR2');
  await pause(collectMs, undefined, { signal });
  return readMemory(stack);
}
