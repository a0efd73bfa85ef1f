import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { canInstallDebianPackages, installDebianPackage } from '@hooligram/local';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const macPath = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';

/**
 * Finds a Chromium or a Chrome; on Debian and Ubuntu, root installs one.
 * @throws with the command that gets one on this system
 */
export async function chromiumProgram(): Promise<string> {
  const found = findChromium();
  if (found) return found;
  if (canInstallDebianPackages()) return installChromium();
  throw new Error(`no Chromium found: ${howToInstall()}, or set CHROMIUM_PATH`);
}

function findChromium(): string | undefined {
  const { CHROMIUM_PATH, PATH = '' } = process.env;
  if (CHROMIUM_PATH) {
    if (!isExecutable(CHROMIUM_PATH)) throw new Error(`CHROMIUM_PATH is no program: ${CHROMIUM_PATH}`);
    return CHROMIUM_PATH;
  }
  const dirs = [...PATH.split(delimiter), '/usr/bin'];
  const paths = names.flatMap((name) => dirs.map((dir) => join(dir, name)));
  return [...paths, macPath].find(isExecutable);
}

async function installChromium(): Promise<string> {
  process.stderr.write('no Chromium found: installing the package chromium with apt-get\n');
  await installDebianPackage('chromium');
  const found = findChromium();
  if (!found) throw new Error(`the package chromium brought no program: ${howToInstall()}`);
  return found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function howToInstall(): string {
  if (process.platform === 'darwin') return 'install it with: brew install --cask google-chrome';
  if (existsSync('/usr/bin/apt-get')) return 'install it with: sudo apt-get install chromium';
  if (existsSync('/usr/bin/dnf')) return 'install it with: sudo dnf install chromium';
  if (existsSync('/sbin/apk')) return 'install it with: apk add chromium';
  return 'install Chromium with the package manager of your system';
}
