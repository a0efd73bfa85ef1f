import type { TargetName } from '../targets/index.ts';
import type { Figures } from './figures.ts';
import type { Stage } from './stage.ts';

export type Workload = {
  readonly about: string;
  /** What speaks enough of the protocol for it. */
  readonly targets: readonly TargetName[];
  /** Why it cannot be done on a system that already runs; absent if it can. */
  readonly notRunning?: string;
  /** How many processes it wants of ours, whatever the flags say. */
  readonly processes?: { readonly gateways: number; readonly cores: number };
  run(stage: Stage): Promise<Figures>;
};
