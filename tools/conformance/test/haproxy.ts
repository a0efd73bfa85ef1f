import { accessSync, constants, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { canInstallDebianPackages, installDebianPackage, startProcess, whenReady } from '@hooligram/local';
import { freePorts, patienceMs, type ServiceProcess } from '@hooligram/testkit';

const config = fileURLToPath(new URL('../../../infra/haproxy/haproxy.cfg', import.meta.url));

/** HAProxy with the repository's own configuration, in front of two gateways. */
export async function startHaproxy(one: ServiceProcess, two: ServiceProcess) {
  const [port = 0] = await freePorts(1);
  const folder = mkdtempSync(join(tmpdir(), 'hooligram-haproxy-'));
  const spec = {
    name: 'haproxy',
    command: await haproxyProgram(),
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
  const haproxy = await startProcess(spec);
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

/**
 * Finds HAProxy; on Debian and Ubuntu, root installs it.
 * @throws Error with the command that gets it on this system
 */
async function haproxyProgram(): Promise<string> {
  const found = onPath();
  if (found) return found;
  if (!canInstallDebianPackages()) throw new Error(`no haproxy found: install it with: ${howElse()}`);
  await installDebianPackage('haproxy');
  const installed = onPath();
  if (!installed) throw new Error('the package haproxy brought no haproxy: install it by hand');
  return installed;
}

function onPath(): string | undefined {
  const dirs = [
    ...(process.env.PATH ?? '').split(delimiter),
    '/usr/sbin',
    '/usr/local/sbin',
    '/opt/homebrew/bin',
  ];
  return dirs
    .map((dir) => join(dir, 'haproxy'))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

function howElse(): string {
  if (process.platform === 'darwin') return 'brew install haproxy';
  return existsSync('/usr/bin/apt-get')
    ? 'sudo apt-get install haproxy'
    : 'the package manager of your system';
}
