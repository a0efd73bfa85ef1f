import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { StartError } from './start-error.ts';

const run = promisify(execFile);

/** Where package managers put programs that may not be on the PATH of this process. */
const furtherDirs = [
  '/usr/bin',
  '/usr/sbin',
  '/usr/local/bin',
  '/usr/local/sbin',
  '/opt/homebrew/bin',
  '/opt/homebrew/sbin',
];

export type ProgramOptions<Program> = {
  /** In errors: `redis-server or valkey-server`. */
  readonly name: string;
  readonly find: () => Program | undefined;
  /** The package of Debian and Ubuntu that root installs. */
  readonly debianPackage: string;
  /** What to install by hand, by package manager. Default: the Debian package. */
  readonly packages?: {
    readonly brew?: string;
    readonly apt?: string;
    readonly dnf?: string;
    readonly apk?: string;
  };
  /** Another way out: `set REDIS_URL`. */
  readonly instead?: string;
  readonly log?: (line: string) => void;
};

/**
 * Finds a program; on Debian and Ubuntu, root installs it.
 * @throws StartError with the command that installs it on this system
 */
export async function findOrInstall<Program>(options: ProgramOptions<Program>): Promise<Program> {
  const { name, find, debianPackage, instead, log } = options;
  const found = find();
  if (found) return found;
  const advice = `${howToInstall(options)}${instead ? `, or ${instead}` : ''}`;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    throw new StartError(`no ${name} found: ${advice}`);
  }
  log?.(`no ${name} found: installing the package ${debianPackage} with apt-get`);
  await installDebianPackage(debianPackage);
  const installed = find();
  if (!installed) throw new StartError(`the package ${debianPackage} brought no ${name}: ${advice}`);
  return installed;
}

/** The path of the first of these programs that this machine has. */
export function findProgram(...names: readonly string[]): string | undefined {
  const dirs = [...(process.env.PATH ?? '').split(delimiter), ...furtherDirs];
  return names.flatMap((name) => dirs.map((dir) => join(dir, name))).find(isProgram);
}

export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * Installs a package of Debian or Ubuntu, without what it only recommends. One process at a time: apt-get does not wait
 * for another one, it fails.
 */
async function installDebianPackage(name: string): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = `apt-get update -qq && apt-get install -y -qq --no-install-recommends ${name}`;
  try {
    await run('flock', [join(tmpdir(), 'hooligram-apt-get.lock'), 'sh', '-c', install], { env });
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw new StartError(`installing ${name} failed: ${(stderr || message).trim()}`);
  }
}

function howToInstall({ name, debianPackage, packages = {} }: ProgramOptions<unknown>): string {
  const { brew = debianPackage, apt = debianPackage, dnf = debianPackage, apk = debianPackage } = packages;
  if (process.platform === 'darwin') return `install it with: brew install ${brew}`;
  if (existsSync('/usr/bin/apt-get')) return `install it with: sudo apt-get install ${apt}`;
  if (existsSync('/usr/bin/dnf')) return `install it with: sudo dnf install ${dnf}`;
  if (existsSync('/sbin/apk')) return `install it with: apk add ${apk}`;
  return `install ${name} with the package manager of your system`;
}
