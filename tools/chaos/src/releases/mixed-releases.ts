import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Component, core, gateway, restarted } from '../faults/component.ts';
import type { FaultContext } from '../faults/fault.ts';
import { sendSignal } from '../faults/signals.ts';
import { type InjectedFault, measured } from '../inject-faults.ts';
import type { Probe } from '../load/probe.ts';
import { allReady } from '../rolling.ts';
import { buildRelease, thisRelease } from './build-release.ts';

type Kind = 'gateways' | 'cores';
type Which = 'previous' | 'this';

/**
 * An update as docs/operations.md has it, its rollback, and an update that begins with the gateways, against that advice:
 * every mixture of two releases, while each process is replaced.
 */
const steps: readonly (readonly [Kind, Which])[] = [
  ['cores', 'this'],
  ['gateways', 'this'],
  ['gateways', 'previous'],
  ['cores', 'previous'],
  ['gateways', 'this'],
  ['cores', 'this'],
];

/** Two releases of one stack: which of them each process starts from, the next time it starts. */
export class MixedReleases {
  /** For StackOptions. */
  readonly folder: string;
  readonly #roots: Readonly<Record<Which, string>>;

  /** Builds the previous release; all processes are to start from it. @throws Error as buildRelease does */
  static async prepare(
    commit: string,
    { gateways, cores, dataDir }: { gateways: number; cores: number; dataDir: string },
    log: (line: string) => void,
    signal: AbortSignal,
  ): Promise<MixedReleases> {
    const folder = `${resolve(dataDir)}-releases`;
    mkdirSync(folder, { recursive: true });
    const previous = await buildRelease(commit, folder, log, signal);
    const mixed = new MixedReleases(join(folder, 'in-use'), { previous, this: thisRelease });
    for (let index = 0; index < gateways; index += 1) mixed.#choose(gateway(index), 'previous');
    for (let index = 0; index < cores; index += 1) mixed.#choose(core(index), 'previous');
    return mixed;
  }

  private constructor(folder: string, roots: Readonly<Record<Which, string>>) {
    this.folder = folder;
    this.#roots = roots;
    mkdirSync(folder, { recursive: true });
  }

  /** Goes through all mixtures under load: one process at a time, the next one when all are ready. */
  async replaceAll(context: FaultContext, probe: Probe): Promise<InjectedFault[]> {
    const injected: InjectedFault[] = [];
    for (const [kind, which] of steps) {
      const componentOf = kind === 'cores' ? core : gateway;
      const components = context.stack()[kind].map((_, index) => componentOf(index));
      const name = `${kind} of ${which} release`;
      injected.push(await measured(name, probe, context, () => this.#replace(context, components, which)));
    }
    return injected;
  }

  async #replace(context: FaultContext, components: readonly Component[], which: Which): Promise<void> {
    for (const component of components) {
      this.#choose(component, which);
      const pid = component.pid(context.stack());
      context.log(`${component.name} (pid ${pid}) is replaced by one of ${which} release`);
      sendSignal(pid, 'SIGTERM');
      await restarted(context, component, pid);
      await allReady(context);
    }
  }

  #choose({ name }: Component, which: Which): void {
    const link = join(this.folder, name);
    rmSync(link, { force: true });
    symlinkSync(this.#roots[which], link);
  }
}
