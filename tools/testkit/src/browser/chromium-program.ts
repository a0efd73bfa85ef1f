import { findOrInstall, findProgram, isProgram } from '@hooligram/local';

const macPath = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';

/**
 * Finds a Chromium or a Chrome; on Debian and Ubuntu, root installs one.
 * @throws with the command that installs one on this system
 */
export function chromiumProgram(): Promise<string> {
  return findOrInstall({
    name: 'Chromium',
    find: findChromium,
    debianPackage: 'chromium',
    packages: { brew: '--cask google-chrome' },
    instead: 'set CHROMIUM_PATH',
    log: (line) => void process.stderr.write(`${line}\n`),
  });
}

function findChromium(): string | undefined {
  const { CHROMIUM_PATH } = process.env;
  if (!CHROMIUM_PATH) {
    const found = findProgram('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable');
    return found ?? (isProgram(macPath) ? macPath : undefined);
  }
  if (!isProgram(CHROMIUM_PATH)) throw new Error(`CHROMIUM_PATH is no program: ${CHROMIUM_PATH}`);
  return CHROMIUM_PATH;
}
