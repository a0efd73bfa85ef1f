import { collectNotes, hopFigures, hopLines } from '../measure/hops.ts';
import { whenQuiet } from '../measure/roles.ts';
import { neighbours } from './populations.ts';
import { populate } from './trial.ts';
import type { Workload } from './workload.ts';

const perSecond = 100;
const warmUpSeconds = 30;
const pauseMs = 1_500;

export const hops: Workload = {
  about: 'as paced-direct; where a single message spends its time, hop by hop',
  targets: ['ours'],
  besideSeconds: 50,
  notRunning: 'its processes must be started with a tracer',
  isTraced: true,
  async run({ target, load, seconds, tracesFolder, log, ...trial }) {
    await populate({ target, load, seconds, tracesFolder, log, ...trial }, neighbours(200, 2));
    const { gateway = [], core = [] } = target.roles();
    const pids = [...gateway, ...core, load.pid];
    log(`warming up for ${warmUpSeconds} s`);
    await load.call('exchange', warmUpSeconds, { perSecond });
    await whenQuiet(target.roles(), pauseMs);
    await collectNotes(tracesFolder, pids);
    log(`measuring for ${seconds} s`);
    const { faults } = await load.call('exchange', seconds, { perSecond });
    if (faults[0] !== undefined) throw new Error(faults[0]);
    const figures = hopFigures(await collectNotes(tracesFolder, pids));
    for (const line of hopLines(figures)) log(line);
    return figures;
  },
};
