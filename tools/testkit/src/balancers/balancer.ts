import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logTail, type ProcessSpec, RunningProcess, whenReady } from '@hooligram/local';
import { patienceMs } from '../patience.ts';

/** Where a gateway is, as a load balancer sees it. */
export type BalancedGateway = {
  /** Its own port, not the shared one. */
  readonly url: string;
  readonly adminUrl: string;
};

/** A load balancer with the repository's own configuration, in front of gateways. */
export type Balancer = {
  readonly url: string;
  /** Reads the configuration again, as an operator has it do: new processes take what comes, old ones keep what they have. */
  reload(): void;
  /** The pids of its workers, the old ones too, which stay after a reload until their connections end. */
  workers(): readonly number[];
  /** The end of what it wrote. */
  log(): string;
  stop(): Promise<void>;
};

type BalancerSpec = Pick<ProcessSpec, 'name' | 'command' | 'args' | 'env' | 'stopSignal'> & {
  readonly port: number;
  readonly isTls?: boolean;
  readonly reloadSignal: NodeJS.Signals;
};

/** A folder for the files of one balancer. */
export function balancerFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `hooligram-${name}-`));
}

/** Starts it and waits until handshakes reach a gateway. `folder` is removed at the end. */
export async function startBalancer(balancer: BalancerSpec, folder: string): Promise<Balancer> {
  const { port, isTls = false, reloadSignal, ...program } = balancer;
  const logFile = join(folder, `${balancer.name}.log`);
  const spec = { ...program, logFile, stopTimeoutMs: 2_000, detached: false };
  const running = await RunningProcess.start(spec);
  const stop = async () => {
    await running.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  // A plain GET that reached a gateway: it says that an upgrade is missing.
  const isReady = async () => (await statusOf(`${isTls ? 'https' : 'http'}://127.0.0.1:${port}/v2`)) === 426;
  try {
    await whenReady(spec, running, { isReady, readyTimeoutMs: patienceMs });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `${isTls ? 'wss' : 'ws'}://127.0.0.1:${port}/v2`,
    reload: () => running.kill(reloadSignal),
    workers: () => childrenOf(running.pid),
    log: () => logTail(logFile),
    stop,
  };
}

/** Whatever its certificate is. */
function statusOf(url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const module = url.startsWith('https') ? https : http;
    const request = module.get(url, { rejectUnauthorized: false, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on('error', reject);
  });
}

function childrenOf(pid: number): number[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const rows = table.split('\n').map((line) => line.trim().split(/\s+/).map(Number));
  return rows.flatMap(([child, parent]) => (child !== undefined && parent === pid ? [child] : []));
}
