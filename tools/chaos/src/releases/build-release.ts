import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Of this release; from src/ and from dist/ alike. */
export const thisRelease = fileURLToPath(new URL('../../../../', import.meta.url));

const runFile = promisify(execFile);
const outputBytesMax = 64 * 1_024 * 1_024;

/**
 * Brings another release of this repository out of its history, installs what it needs, and builds it. It is kept for the
 * next run.
 *
 * @param commit any name that git knows it by
 * @param folder where releases are kept
 * @returns its root
 * @throws Error when the history does not have it, or it cannot be built
 */
export async function buildRelease(
  commit: string,
  folder: string,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<string> {
  const options = { cwd: thisRelease, maxBuffer: outputBytesMax, signal };
  const { stdout } = await runFile('git', ['rev-parse', '--verify', `${commit}^{commit}`], options).catch(
    () => {
      throw new Error(
        `--previous ${commit}: the history of this repository does not have it (a shallow clone? git fetch --unshallow)`,
      );
    },
  );
  const hash = stdout.trim();
  const root = join(folder, hash.slice(0, 12));
  if (existsSync(root)) return root;
  log(`building ${commit}, which takes about a minute`);
  const unfinished = `${root}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  const archive = join(folder, `${hash.slice(0, 12)}.tar`);
  await runFile('git', ['archive', '--output', archive, hash], options);
  await runFile('tar', ['-xf', archive, '-C', unfinished], options);
  rmSync(archive);
  await runFile(process.execPath, ['infra/local/build.mjs'], { ...options, cwd: unfinished }).catch(
    (error) => {
      throw new Error(`${commit} cannot be built:\n${error.stdout}${error.stderr}`);
    },
  );
  renameSync(unfinished, root);
  return root;
}
