import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findOrInstall, findProgram, RunningProcess, whenReady } from '@hooligram/local';
import { patienceMs } from './patience.ts';

/**
 * Starts Debian's Redis, which knows TLS and lists of users, with settings of the test's own.
 *
 * @param folder for its log
 * @returns what has to be stopped
 * @throws Error when it does not take connections
 */
export async function startDebianRedis(
  name: string,
  args: readonly string[],
  folder: string,
): Promise<{ stop(): Promise<unknown> }> {
  const command = await findOrInstall({
    name: 'redis-server',
    find: () => findProgram('redis-server'),
    debianPackage: 'redis-server',
  });
  const spec = {
    ...{ name, command, args, env: process.env, logFile: join(folder, 'redis.log') },
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 10_000,
    detached: false,
  } as const;
  const started = await RunningProcess.start(spec);
  try {
    const isReady = async () => readFileSync(spec.logFile, 'utf8').includes('Ready to accept connections');
    await whenReady(spec, started, { isReady, readyTimeoutMs: patienceMs });
  } catch (error) {
    await started.stop();
    throw error;
  }
  return started;
}
