import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RunningProcess, redisProgram } from '@hooligram/local';
import type { Certificate } from '../certificates.ts';
import { tlsSettings } from '../tls-settings.ts';

type Options = {
  /** For its configuration, which it rewrites. */
  readonly folder: string;
  readonly logDir: string;
  readonly port: number;
  /** Where clients come, if that is over TLS. */
  readonly clientPort: number;
  readonly tls?: Certificate | undefined;
  /** What it calls the primary. */
  readonly name: string;
  readonly primaryPort: number;
  /** How many Sentinels must find the primary dead. */
  readonly quorum: number;
  /** A Redis that is silent for so long is dead to it. */
  readonly downAfterMs: number;
};

/** The program is the server's: Debian's redis-sentinel is another name of it. */
export async function startSentinel(options: Options): Promise<RunningProcess> {
  const { folder, logDir, port, clientPort, tls, name, primaryPort, quorum, downAfterMs } = options;
  mkdirSync(folder, { recursive: true });
  const config = join(folder, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    ...Object.entries(tls ? tlsSettings(clientPort, tls) : {}).map((setting) => setting.join(' ')),
    `sentinel monitor ${name} 127.0.0.1 ${primaryPort} ${quorum}`,
    `sentinel down-after-milliseconds ${name} ${downAfterMs}`,
    `sentinel failover-timeout ${name} 3000`,
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const { path, argv0 } = await redisProgram(() => undefined);
  return RunningProcess.start({
    name: `sentinel-${port}`,
    command: path,
    argv0,
    args: [config, '--sentinel'],
    env: process.env,
    logFile: join(logDir, `sentinel-${port}.log`),
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 10_000,
    detached: true,
  });
}
