import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { StackDescription } from '@hooligram/local';
import { metrics } from '@hooligram/testkit';
import { type Memory, readMemory } from '../memory.ts';
import { type Progress, progressText, type Target } from './attack.ts';
import { type AttackName, attackNames } from './attacks.ts';
import type { Window } from './honest-messages.ts';
import { HonestUsers } from './honest-users.ts';
import { type RedisUsage, readRedisUsage } from './redis-usage.ts';
import { answerTo, askAttacker, type Cpu, cpuDuring, readKeptMemory } from './usage.ts';

const attackerProgram = fileURLToPath(new URL('./attacker.js', import.meta.url));
const controlProgram = fileURLToPath(new URL('./control.js', import.meta.url));
/** After an attack: what it has left behind is worked off. */
const restMs = 5_000;
/** Before the first quiet window: all have just signed up. */
const warmUpMs = 5_000;
/** Before the others: until gateways and cores use no more than so many times the CPU of the first, or for so long. */
const settledFactor = 1.25;
const settledMaxMs = 60_000;
/** The first part of an attack is measured apart: what buckets allow at once. */
export const burstMs = 2_000;
/** The quiet before an attack, and the control behind it, are measured for as long as the attack, but no longer. */
const quietMaxMs = 30_000;
/** How long those who have an aim may need for it beyond the measurement. */
const progressMaxMs = 120_000;
const progressPollMs = 500;
const refusalSeries =
  /^hooligram_((?:gateway|core)_limited|limits_refused|gateway_upgrades_refused|gateway_requests_shed|gateway_forwarded_ignored|core_anonymous_requests_refused)_total\{([^}]*)\} (\d+)$/gm;

export type SiegeRow = {
  readonly name: AttackName;
  readonly quiet: Window;
  /** Quiet as well, beside a process that uses as much CPU as the attacker did, and sends nothing to our servers. */
  readonly control: Window;
  readonly attacked: Window;
  /** Of that, the first moments, in which buckets are full, and what came after them. */
  readonly first: Window;
  readonly rest: Window;
  /** Honest connections that were closed. */
  readonly cut: number;
  /** With the token of a telephone; with a code alone, from the network that it is known from, and from a new one. */
  readonly ownerSignsIn: { readonly token: boolean; readonly code: boolean; readonly codeElsewhere: boolean };
  readonly progress: Progress;
  readonly cpu: { readonly quiet: Cpu; readonly control: Cpu; readonly first: Cpu; readonly rest: Cpu };
  /** Before and after: once all garbage was collected. */
  readonly memory: { readonly before: Memory; readonly during: Memory; readonly after: Memory };
  readonly redis: { readonly before: RedisUsage; readonly during: RedisUsage; readonly after: RedisUsage };
  /** How much each limit refused, those that refused something. */
  readonly refusals: ReadonlyMap<string, number>;
};

export type SiegeOptions = {
  readonly only: readonly AttackName[];
  readonly seconds: number;
  readonly users: number;
  readonly stack: () => StackDescription;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
};

/**
 * Measures honest users in quiet, under each attack, and the memory before, during and after it.
 * @param onRow is told each attack when it is over: a later one may fail
 */
export async function siege(options: SiegeOptions, onRow: (row: SiegeRow) => void): Promise<void> {
  const { only, users: count, stack, log } = options;
  const users = await HonestUsers.connect(
    stack().gateways.map(({ url }) => url),
    count,
  );
  try {
    log(`${count} honest users chat`);
    await pause(warmUpMs, undefined, { signal: options.signal });
    let quiet: Cpu | undefined;
    for (const name of only.length > 0 ? only : attackNames) {
      if (quiet) await settled(stack, quiet, options.signal);
      const row = await besiege(options, users, name);
      quiet ??= row.cpu.quiet;
      onRow(row);
    }
  } finally {
    users.close();
  }
}

/** Waits until what an attack has left behind is worked off. */
async function settled(stack: SiegeOptions['stack'], quiet: Cpu, signal: AbortSignal): Promise<void> {
  const until = performance.now() + settledMaxMs;
  for (;;) {
    const { gateways, cores } = await cpuDuring(burstMs, stack, signal);
    const isQuiet = gateways + cores <= (quiet.gateways + quiet.cores) * settledFactor;
    if (isQuiet || performance.now() > until) return;
  }
}

async function besiege(
  { seconds, stack, log, signal }: SiegeOptions,
  users: HonestUsers,
  name: AttackName,
): Promise<SiegeRow> {
  const windowMs = seconds * 1_000;
  const quietMs = Math.min(windowMs, quietMaxMs);
  const serial = attackNames.indexOf(name);
  const codeOwner = await users.signUpWithCode(serial);
  const victim = users.owners[0] as HonestUsers['owners'][number];
  const before = await readKeptMemory(stack(), signal);
  const redisBefore = await readRedisUsage(stack());
  const quietFromMs = performance.now();
  const quietCpu = await cpuDuring(quietMs, stack, signal);
  const quietToMs = performance.now();
  await users.whenArrived(quietFromMs, quietToMs);
  const quiet = users.window(quietFromMs, quietToMs);
  const [cutBefore, refusedBefore] = [users.cut, await readRefusals(stack())];
  const { gateways, postgres } = stack();
  const attacker = await startAttack(name, {
    ...{ url: gateways[0]?.url ?? '', urls: gateways.map(({ url }) => url), databaseUrl: postgres.url },
    ...{ victim: victim.sid, victimAddress: victim.localAddress, honest: users.owners.map(({ sid }) => sid) },
    ...{ codeOwner, serial: String(serial).padStart(3, '0') },
  });
  const fromMs = performance.now();
  const firstCpu = await cpuDuring(burstMs, stack, signal, attacker);
  const burstEndsMs = performance.now();
  const restCpu = await cpuDuring(Math.max(0, windowMs - burstMs), stack, signal, attacker);
  const toMs = performance.now();
  const attackerShare =
    (firstCpu.attacker * (burstEndsMs - fromMs) + restCpu.attacker * (toMs - burstEndsMs)) / (toMs - fromMs);
  const [during, redisDuring] = [await readMemory(stack()), await readRedisUsage(stack())];
  await users.whenArrived(fromMs, toMs);
  const attacked = users.window(fromMs, toMs);
  const [first, rest] = [users.window(fromMs, burstEndsMs), users.window(burstEndsMs, toMs)];
  const token = await users.canSignIn(victim);
  const { known: code, anew: codeElsewhere } = await users.canSignInWithCode(codeOwner);
  const ownerSignsIn = { token, code, codeElsewhere };
  const progress = await progressOf(attacker, signal);
  attacker.kill('SIGKILL');
  const cut = users.cut - cutBefore;
  await pause(restMs, undefined, { signal });
  const [after, refusedAfter] = [await readKeptMemory(stack(), signal), await readRefusals(stack())];
  const redis = { before: redisBefore, during: redisDuring, after: await readRedisUsage(stack()) };
  await settled(stack, quietCpu, signal);
  const control = await measureControl(users, quietMs, attackerShare, stack, signal);
  const refusals = new Map<string, number>();
  for (const [limit, value] of refusedAfter) {
    const more = value - (refusedBefore.get(limit) ?? 0);
    if (more > 0) refusals.set(limit, more);
  }
  const parts = `${first.p99Ms.toFixed(0)} in the first ${burstMs / 1_000} s, then ${rest.p99Ms.toFixed(0)}`;
  const worst = `worst ${quiet.worstMs.toFixed(0)} and ${attacked.worstMs.toFixed(0)}`;
  const beside = `beside the control ${control.window.p99Ms.toFixed(0)}`;
  const p99 = `p99 ${quiet.p99Ms.toFixed(0)} ms, ${beside}, under attack ${attacked.p99Ms.toFixed(0)} (${parts}), ${worst}`;
  const { machine, attacker: attackers, gatewayLateMs, coreLateMs } = restCpu;
  const late = `event loops ${gatewayLateMs.toFixed(0)} (gateway) and ${coreLateMs.toFixed(0)} ms (core) late`;
  log(`${name}: CPU ${machine.toFixed(1)} s/s of all, ${attackers.toFixed(1)} of the attacker's; ${late}`);
  const owner = (['token', 'code', 'codeElsewhere'] as const).filter((by) => !ownerSignsIn[by]);
  const locked = owner.length > 0 ? `the owner is locked out by ${owner.join(', ')}` : 'owners sign in';
  log(`${name}: ${p99}, ${cut} cut, ${attacked.late} late, ${attacked.refused} refused, ${locked}`);
  if (progress.what) log(`${name}: ${progressText(progress)}`);
  const cpu = { quiet: quietCpu, control: control.cpu, first: firstCpu, rest: restCpu };
  return {
    name,
    quiet,
    control: control.window,
    attacked,
    first,
    rest,
    cut,
    ownerSignsIn,
    progress,
    cpu,
    memory: { before, during, after },
    redis,
    refusals,
  };
}

/** Honest users in quiet, beside a process that uses a share of a CPU for itself. @param share seconds a second */
async function measureControl(
  users: HonestUsers,
  windowMs: number,
  share: number,
  stack: SiegeOptions['stack'],
  signal: AbortSignal,
): Promise<{ window: Window; cpu: Cpu }> {
  const control = forkApart(controlProgram);
  try {
    await answerTo(control, { share });
    const fromMs = performance.now();
    const cpu = await cpuDuring(windowMs, stack, signal, control);
    const toMs = performance.now();
    await users.whenArrived(fromMs, toMs);
    return { window: users.window(fromMs, toMs), cpu };
  } finally {
    control.kill('SIGKILL');
  }
}

/** @throws Error when the attacker cannot begin */
async function startAttack(name: AttackName, target: Target) {
  const attacker = forkApart(attackerProgram);
  const reply = await answerTo<{ error?: string }>(attacker, { name, target });
  if (reply.error === undefined) return attacker;
  attacker.kill('SIGKILL');
  throw new Error(`${name} could not begin: ${reply.error}`);
}

const forkApart = (program: string) =>
  fork(program, { detached: true, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });

/** Waits until those who have an aim have reached it, or for as long as they may need. */
async function progressOf(attacker: ChildProcess, signal: AbortSignal): Promise<Progress> {
  const until = performance.now() + progressMaxMs;
  for (;;) {
    const { progress } = await askAttacker(attacker);
    if (progress.reached >= progress.wanted || performance.now() > until) return progress;
    await pause(progressPollMs, undefined, { signal });
  }
}

const nameOf = (metric: string, which: string) => (which ? `${metric} (${which})` : metric);

/** What limits have refused so far, by limit; and what was refused because too much of it came at once. */
async function readRefusals({ gateways, cores }: StackDescription): Promise<Map<string, number>> {
  const refused = new Map<string, number>();
  for (const { admin } of [...gateways, ...cores]) {
    const { text } = await metrics(admin);
    for (const [, metric = '', labels = '', value] of text.matchAll(refusalSeries)) {
      const [, which = ''] = /(?:limit|reason|cause|type)="([^"]*)"/.exec(labels) ?? [];
      const name = metric.includes('limit') ? which : nameOf(metric.replace(/^(gateway|core)_/, ''), which);
      refused.set(name, (refused.get(name) ?? 0) + Number(value));
    }
  }
  return refused;
}
