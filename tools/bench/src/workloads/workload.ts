import type { RedisForm } from '@hooligram/local';
import type { TargetName } from '../targets/index.ts';
import type { Figures } from './figures.ts';
import type { Trial } from './trial.ts';

export type Workload = {
  readonly about: string;
  /** The targets that know enough of the protocol for it. */
  readonly targets: readonly TargetName[];
  /** Why it cannot be measured on a system that already runs; absent if it can. */
  readonly notRunning?: string;
  /** About how many seconds a trial takes beside those in which it warms up and sends. */
  readonly besideSeconds: number;
  /** How many seconds a trial may take, where that is more than `--trial-max` says. */
  readonly trialSecondsMax?: number;
  /** Its processes note when messages pass them: `measure/hop-tracer.ts`. */
  readonly isTraced?: true;
  /** How many processes of ours it needs, whatever the flags say. */
  readonly processes?: {
    readonly gateways: number;
    readonly cores: number;
    /** Default: as the flags say. */
    readonly redis?: RedisForm;
  };
  run(trial: Trial): Promise<Figures>;
};
