import { execFileSync } from 'node:child_process';
import { anyRedis, restarted } from './component.ts';
import { type FaultContext, whileItLasts } from './fault.ts';
import { sendSignal } from './signals.ts';

const awayMs = 20_000;

/**
 * Kills one of several Redis, and keeps it dead for a while: the launcher, which would start it again at once, is stopped
 * meanwhile.
 */
export async function killShard(context: FaultContext): Promise<void> {
  const { stack, outages, log } = context;
  const redis = anyRedis(context);
  const pid = redis.pid(stack());
  const launcher = parentOf(pid);
  log(`SIGKILL to ${redis.name} (pid ${pid}), which stays away for ${awayMs / 1000} s`);
  sendSignal(launcher, 'SIGSTOP');
  const from = performance.now();
  try {
    sendSignal(pid, 'SIGKILL');
    await whileItLasts(awayMs, context);
  } finally {
    sendSignal(launcher, 'SIGCONT');
  }
  await restarted(context, redis, pid);
  outages?.push({ shard: redis.index, from, to: performance.now() });
}

function parentOf(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' }));
}
