import { readFileSync } from 'node:fs';

/** A uWebSockets.js that is installed, and the machines for which it has binaries. */
export type Release = {
  readonly name: string;
  /** The alias in package.json under which it is installed. */
  readonly package: string;
  /** Where the package begins, seen from its main file. */
  readonly root: string;
  /** Where its binaries are, seen from there. */
  readonly binaries: string;
  /** `process.versions.modules` of the Nodes for which it has a binary. */
  readonly abis: readonly number[];
  readonly platforms: readonly string[];
  /** The oldest glibc that loads it on Linux. */
  readonly glibc: string;
};

/** What decides whether a binary can be loaded. */
export type Machine = {
  readonly platform: string;
  readonly arch: string;
  readonly abi: number;
  /** Undefined elsewhere than on Linux, and on Linux without glibc. */
  readonly glibc: string | undefined;
};

/**
 * Best first. infra/local/node.mjs reads the same file before anything is installed. Its limits are stricter than the
 * binaries' own where Node is stricter: Node 20 needs glibc 2.28.
 */
export const releases: readonly Release[] = JSON.parse(
  readFileSync(new URL('../releases.json', import.meta.url), 'utf8'),
);

export function fits(release: Release, { platform, arch, abi, glibc }: Machine): boolean {
  if (!release.abis.includes(abi) || !release.platforms.includes(`${platform}-${arch}`)) return false;
  return platform !== 'linux' || (glibc !== undefined && isAtLeast(glibc, release.glibc));
}

export function thisMachine(): Machine {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return {
    platform: process.platform,
    arch: process.arch,
    abi: Number(process.versions.modules),
    glibc: header.glibcVersionRuntime,
  };
}

function isAtLeast(version: string, least: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = least.split('.').map(Number);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}
