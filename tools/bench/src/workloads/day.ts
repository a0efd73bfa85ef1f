import { zipf } from './populations.ts';
import { measured, populate } from './trial.ts';
import type { Workload } from './workload.ts';

const spec = { onlineShare: 0.2, seed: 20_261_125 };
const usersPerMessage = 50;
const signInConcurrency = 50;

/** A tenth of those who are there go within this time, and as many come. */
const stayTenthSeconds = 10;

export const day: Workload = {
  about:
    'as in a phone chat: --users, a fifth of them there, who come, go and type; a few large groups, many small',
  targets: ['ours'],
  besideSeconds: 150,
  async run(trial) {
    const { users, load, log } = trial;
    await populate(trial, zipf(users));
    const changesPerSecond = (users * spec.onlineShare) / 10 / stayTenthSeconds;
    await load.call('beginDay', { ...spec, perSecond: users / usersPerMessage, changesPerSecond });
    const figures = await measured(trial, (seconds) => load.call('day', seconds));
    log('everybody signs in');
    const waited = await load.call('endDay', signInConcurrency);
    log(`${waited} deliveries had waited for users who were away; all have come`);
    return figures;
  },
};
