import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Whether `installDebianPackage` may be tried: Debian or Ubuntu, as root. */
export function canInstallDebianPackages(): boolean {
  return process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
}

/**
 * Installs a package of Debian or Ubuntu, without what it only recommends. One process at a time: apt-get does not
 * wait for another one, it fails.
 * @throws Error what apt-get said
 */
export async function installDebianPackage(name: string): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = `apt-get update -qq && apt-get install -y -qq --no-install-recommends ${name}`;
  try {
    await run('flock', [join(tmpdir(), 'hooligram-apt-get.lock'), 'sh', '-c', install], { env });
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw new Error(`installing ${name} failed: ${(stderr || message).trim()}`);
  }
}
