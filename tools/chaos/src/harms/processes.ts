import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { childrenOf, send } from './children.ts';
import type { HarmContext } from './harm.ts';
import { onRedis, type Part, redisPart, restarted } from './part.ts';

const stoppedMs = 10_000;

/** Ends a process and waits until it was started again. */
export async function endPart(
  context: HarmContext,
  part: Part,
  signal: 'SIGKILL' | 'SIGTERM',
): Promise<void> {
  const pid = part.pid(context.stack());
  context.log(`${signal} to ${part.name} (pid ${pid})`);
  // The children of a killed Postgres would go on with what they have in hand.
  const others = signal === 'SIGKILL' ? childrenOf(pid) : [];
  for (const each of [pid, ...others]) send(each, signal);
  await restarted(context, part, pid);
}

/** Freezes a process with its children, and lets it go on. */
export async function stopPart({ stack, log, signal }: HarmContext, part: Part): Promise<void> {
  const pid = part.pid(stack());
  log(`SIGSTOP to ${part.name} (pid ${pid}) for ${stoppedMs / 1000} s`);
  send(pid, 'SIGSTOP');
  // Looked up now that no new ones can come.
  const pids = [...childrenOf(pid), pid];
  try {
    for (const each of pids) send(each, 'SIGSTOP');
    await pause(stoppedMs, undefined, { signal });
  } finally {
    for (const each of pids) send(each, 'SIGCONT');
  }
}

/** Kills Redis, and lets it come back without anything that it knew. */
export async function loseRedis(context: HarmContext): Promise<void> {
  const stack = context.stack();
  const pid = redisPart.pid(stack);
  const setting = async (name: string) =>
    onRedis(stack, async (redis) => ((await redis.config('GET', name)) as string[])[1] ?? '');
  const [dir, appendDir, dump] = await Promise.all(['dir', 'appenddirname', 'dbfilename'].map(setting));
  if (!dir || !appendDir || !dump) throw new Error('Redis does not say where its data are');
  context.log(`SIGKILL to redis (pid ${pid}), its data removed from ${dir}`);
  // It must write nothing more, and its launcher must not be faster than we are.
  send(pid, 'SIGSTOP');
  rmSync(join(dir, appendDir), { recursive: true, force: true });
  rmSync(join(dir, dump), { force: true });
  send(pid, 'SIGKILL');
  await restarted(context, redisPart, pid);
}
