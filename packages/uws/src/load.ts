import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type * as uWebSockets from 'uws-current';
import { fits, type Release, releases, thisMachine } from './releases.ts';

export type LoadedUws = {
  readonly uWS: typeof uWebSockets;
  /** Of the package, such as `20.57.0`. */
  readonly version: string;
};

/** What `loadUws` can be asked for: the newest that this machine can run, or one by its name. */
export const uwsChoices: readonly string[] = ['newest', ...releases.map(({ name }) => name)];

/**
 * What uWebSockets.js takes of headers. Its own 4 KiB are less than a few cookies and what proxies add; 20.30 keeps to
 * them all the same.
 */
const headersBytesMax = 32 * 1024;

const require = createRequire(import.meta.url);

/**
 * Loads uWebSockets.js.
 *
 * It loads the binary itself, and runs no JavaScript of the packages: one of them falls back to a server written in
 * JavaScript where it finds no binary, which has other limits and another backpressure.
 *
 * @param choice one of `uwsChoices`
 * @throws Error one line that says what this machine lacks
 */
export function loadUws(choice = 'newest'): LoadedUws {
  const machine = thisMachine();
  const faults: string[] = [];
  for (const release of releases) {
    if (choice !== 'newest' && choice !== release.name) continue;
    if (!fits(release, machine)) continue;
    try {
      return load(release);
    } catch (error) {
      faults.push((error as Error).message);
    }
  }
  const { platform, arch } = process;
  const system = `${platform} ${arch}${machine.glibc ? ` with glibc ${machine.glibc}` : ''}`;
  const which = choice === 'newest' ? '' : ` "${choice}"`;
  throw new Error(
    [
      `uWebSockets.js${which} has no binary for Node ${process.versions.node} on ${system}`,
      ...faults,
      'see docs/operations.md, "Which Node, which uWebSockets.js"',
    ].join('; '),
  );
}

/** The names of the releases that this machine can run, best first. */
export function runnableUws(): string[] {
  const machine = thisMachine();
  return releases.filter((release) => fits(release, machine)).map(({ name }) => name);
}

function load(release: Release): LoadedUws {
  const root = join(dirname(require.resolve(release.package)), release.root);
  const { platform, arch, versions } = process;
  // The binary reads it while it is loaded.
  process.env.UWS_HTTP_MAX_HEADERS_SIZE ??= String(headersBytesMax);
  return {
    uWS: require(join(root, release.binaries, `uws_${platform}_${arch}_${versions.modules}.node`)),
    version: require(join(root, 'package.json')).version,
  };
}
