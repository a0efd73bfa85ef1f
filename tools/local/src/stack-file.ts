import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What other programs on this machine learn about a running stack. A pid is of a process that it started. */
export type StackDescription = {
  readonly url: string;
  readonly web: string;
  readonly gateways: readonly { readonly pid: number; readonly url: string; readonly admin: string }[];
  readonly cores: readonly { readonly pid: number; readonly admin: string }[];
  /** The REDIS_URL of all processes. */
  readonly redis: { readonly url: string };
  /** Each Redis, if they were started here. */
  readonly redises: readonly { readonly pid: number; readonly url: string }[];
  readonly postgres: { readonly pid?: number | undefined; readonly url: string };
};

/** `stack.json`: whole or not there, and for this user only, because the urls may hold passwords. */
export function createStackFile(runDir: string) {
  const path = join(runDir, 'stack.json');
  let current: (() => StackDescription) | undefined;
  const refresh = () => {
    if (!current) return;
    writeFileSync(`${path}.new`, `${JSON.stringify(current(), null, 2)}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  };
  return {
    refresh,
    /** Writes it, and from now on again at every refresh. */
    publish: (describe: () => StackDescription) => {
      current = describe;
      refresh();
    },
    remove: () => {
      current = undefined;
      rmSync(path, { force: true });
    },
  };
}
