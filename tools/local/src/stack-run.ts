import type { Closing } from './closing.ts';
import type { DataDir } from './data-dir.ts';
import type { Layout } from './layout.ts';
import { recordProcess } from './orphans.ts';
import type { Progress } from './progress.ts';

export type StackRun = {
  readonly layout: Layout;
  readonly dataDir: DataDir;
  readonly progress: Progress;
  readonly closing: Closing;
  /** The order to stop, also in the middle of the start. */
  readonly signal: AbortSignal;
  /** Called when a process was started or started again. */
  readonly onPidChange: () => void;
};

/**
 * Notes each pid that a process gets, for a later start that finds it left behind.
 * @param orphanSignal what stops it then
 */
export function pidKeeper({ dataDir, onPidChange }: StackRun, name: string, orphanSignal: NodeJS.Signals) {
  return (pid: number) => {
    recordProcess(dataDir.pidsDir, name, pid, orphanSignal);
    onPidChange();
  };
}
