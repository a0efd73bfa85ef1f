import { setTimeout as pause } from 'node:timers/promises';
import { type Usage, usageOf } from './processes.ts';

const pollMs = 1_000;
const quietCpuShare = 0.06;
/** Each process has clocks, echoes and heartbeats of its own. Of a small system they are within the share above. */
const quietCpuShareEach = 0.02;
const processesOfSmall = 2;
/** One of so many polls may be above it: what is scraped answers every five seconds. */
const pollsTogether = 5;
const patienceMs = 60_000;

/** The processes of the servers by role: the pids of the roots of their trees. */
export type Roles = Readonly<Record<string, readonly number[]>>;

/** The usage of each role since its processes began. */
export type RoleUsage = Readonly<Record<string, Usage>>;

export function usageByRole(roles: Roles): RoleUsage {
  return Object.fromEntries(Object.entries(roles).map(([role, pids]) => [role, usageOf(pids)]));
}

/** Milliseconds of CPU by role, between two readings. */
export function cpuBetween(before: RoleUsage, after: RoleUsage): Record<string, number> {
  return Object.fromEntries(
    Object.entries(after).map(([role, { cpuMs }]) => [role, cpuMs - (before[role]?.cpuMs ?? 0)]),
  );
}

export function total(byRole: Readonly<Record<string, number>>): number {
  return Object.values(byRole).reduce((sum, value) => sum + value, 0);
}

/**
 * Waits until all roles together use less than 6 % of a core, or more if they have many processes; does not wait where there
 * are no roles.
 * @param forMs how long they must stay below it
 * @throws Error when they do not come to rest
 */
export async function whenQuiet(roles: Roles, forMs: number): Promise<void> {
  if (Object.keys(roles).length === 0) return;
  const processes = Object.values(roles).flat().length;
  const share = Math.max(quietCpuShare, quietCpuShareEach * (processes - processesOfSmall));
  const startedAt = Date.now();
  let quietSince = Date.now();
  let before = usageByRole(roles);
  let readAt = Date.now();
  const recent: number[] = [];
  while (Date.now() - quietSince < forMs) {
    await pause(pollMs);
    const after = usageByRole(roles);
    const elapsedMs = Date.now() - readAt;
    const cpu = cpuBetween(before, after);
    recent.push(total(cpu) / elapsedMs);
    if (recent.length > pollsTogether) recent.shift();
    const mean = recent.reduce((sum, each) => sum + each, 0) / recent.length;
    if (total(cpu) > share * elapsedMs && mean > share) quietSince = Date.now();
    before = after;
    readAt = Date.now();
    if (Date.now() - startedAt < patienceMs) continue;
    const shares = Object.entries(cpu).map(([role, ms]) => `${role} ${Math.round((ms / elapsedMs) * 100)} %`);
    throw new Error(`the servers do not come to rest: ${shares.join(', ')} of a core`);
  }
}
