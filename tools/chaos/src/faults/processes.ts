import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { onRedis } from '../on-redis.ts';
import { anyRedis, type Component, restarted } from './component.ts';
import { type Fault, type FaultContext, whileItLasts } from './fault.ts';
import { childrenOf, sendSignal } from './signals.ts';

const frozenMs = 10_000;

type Run = Fault['run'];
type FindComponent = (context: FaultContext) => Component;

/** Ends a process and waits until it has started again. */
export function end(signal: 'SIGKILL' | 'SIGTERM', find: FindComponent): Run {
  return async (context) => {
    const component = find(context);
    const pid = component.pid(context.stack());
    context.log(`${signal} to ${component.name} (pid ${pid})`);
    // The children of a killed Postgres would go on with their statements.
    const children = signal === 'SIGKILL' ? childrenOf(pid) : [];
    for (const each of [pid, ...children]) sendSignal(each, signal);
    await restarted(context, component, pid);
  };
}

export function freeze(find: FindComponent): Run {
  return async (context) => {
    const component = find(context);
    const pid = component.pid(context.stack());
    context.log(`SIGSTOP to ${component.name} (pid ${pid})`);
    sendSignal(pid, 'SIGSTOP');
    // Looked up only now, because a frozen process has no new children.
    const pids = [...childrenOf(pid), pid];
    try {
      for (const each of pids) sendSignal(each, 'SIGSTOP');
      await whileItLasts(frozenMs, context);
    } finally {
      for (const each of pids) sendSignal(each, 'SIGCONT');
    }
  };
}

export async function loseRedis(context: FaultContext): Promise<void> {
  const redis = anyRedis(context);
  const pid = redis.pid(context.stack());
  const setting = async (name: string) =>
    onRedis(redis.url, async (client) => ((await client.config('GET', name)) as string[])[1] ?? '');
  const [dir, appendDir, dump] = await Promise.all(['dir', 'appenddirname', 'dbfilename'].map(setting));
  if (!dir || !appendDir || !dump) throw new Error('Redis does not tell where its data are');
  context.log(`SIGKILL to ${redis.name} (pid ${pid}), its data removed from ${dir}`);
  // Frozen, so that it writes nothing more and the launcher does not restart it before its data are gone.
  sendSignal(pid, 'SIGSTOP');
  rmSync(join(dir, appendDir), { recursive: true, force: true });
  rmSync(join(dir, dump), { force: true });
  sendSignal(pid, 'SIGKILL');
  await restarted(context, redis, pid);
}
