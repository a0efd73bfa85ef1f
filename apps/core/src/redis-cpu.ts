import type { Redis } from 'ioredis';
import { readRunId } from './store-restarts.ts';

/**
 * What Redis has used of the CPU, from the first look on. A client does not stand for a server: after a failover it has
 * another one, and the shards of a cluster can be on one. So a server goes by its `run_id`. One that was never seen
 * before may have used much before it was ours: what it says first only sets where its count begins.
 */
export class RedisCpu {
  #seconds: ReadonlyMap<string, number> = new Map();

  /**
   * @param read what each connection says now, as of `readCpu`, or why it does not; a server may be among them twice
   * @returns CPU seconds of all servers since the last look
   */
  add(read: readonly PromiseSettledResult<ServerCpu | undefined>[]): number {
    const told = read.flatMap((one) => (one.status === 'fulfilled' && one.value ? [one.value] : []));
    const seconds = new Map(told.map((server) => [server.runId, server.seconds]));
    let used = 0;
    for (const [runId, now] of seconds) used += Math.max(0, now - (this.#seconds.get(runId) ?? now));
    // One that did not answer this time may be the same one the next time.
    this.#seconds = new Map([...this.#seconds, ...seconds]);
    return used;
  }
}

type ServerCpu = { readonly runId: string; readonly seconds: number };

/** @returns which server it is, and the CPU seconds of its life; undefined if it does not say which it is */
export async function readCpu(redis: Redis): Promise<ServerCpu | undefined> {
  // Both leave over one connection, so both are of one server.
  const [runId, info] = await Promise.all([readRunId(redis), redis.info('cpu')]);
  return runId === undefined ? undefined : { runId, seconds: cpuSeconds(info) };
}

function cpuSeconds(info: string): number {
  const seconds = (name: string) =>
    Number(new RegExp(`^used_cpu_${name}:([\\d.]+)`, 'm').exec(info)?.[1] ?? 0);
  return seconds('sys') + seconds('user');
}
