import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findOrInstall, findProgram, RunningProcess, whenReady } from '@hooligram/local';
import { freePorts, patienceMs, type ServiceProcess } from '@hooligram/testkit';

const config = fileURLToPath(new URL('../../../infra/haproxy/haproxy.cfg', import.meta.url));

/** HAProxy with the repository's own configuration, in front of two gateways. */
export async function startHaproxy(one: ServiceProcess, two: ServiceProcess) {
  const [port = 0] = await freePorts(1);
  const folder = mkdtempSync(join(tmpdir(), 'hooligram-haproxy-'));
  const spec = {
    name: 'haproxy',
    command: await findOrInstall({
      name: 'haproxy',
      find: () => findProgram('haproxy'),
      debianPackage: 'haproxy',
    }),
    args: ['-db', '-f', config],
    env: {
      ...process.env,
      CLIENT_BIND: `127.0.0.1:${port}`,
      ...addresses('GATEWAY_1', one),
      ...addresses('GATEWAY_2', two),
    },
    logFile: join(folder, 'haproxy.log'),
    stopSignal: 'SIGUSR1',
    stopTimeoutMs: 2_000,
    detached: false,
  } as const;
  const haproxy = await RunningProcess.start(spec);
  const isReady = async () => (await fetch(`http://127.0.0.1:${port}/v2`)).status === 426;
  try {
    await whenReady(spec, haproxy, { isReady, readyTimeoutMs: patienceMs });
  } catch (error) {
    await haproxy.stop();
    throw error;
  }
  return {
    url: `ws://127.0.0.1:${port}/v2`,
    stop: async () => {
      await haproxy.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function addresses(name: string, { url, adminUrl }: ServiceProcess): NodeJS.ProcessEnv {
  const admin = new URL(adminUrl);
  return {
    [name]: new URL(url).host,
    [`${name}_ADMIN_HOST`]: admin.hostname,
    [`${name}_ADMIN_PORT`]: admin.port,
  };
}
