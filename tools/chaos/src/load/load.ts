import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../random.ts';
import type { Ledger } from '../verdict/ledger.ts';
import { createGroup } from './acts.ts';
import { startChatter } from './chatter.ts';
import { now } from './clock.ts';
import type { Device } from './device.ts';
import { type Population, type PopulationOptions, populate } from './population.ts';
import { Probe } from './probe.ts';
import { startRestlessness } from './restlessness.ts';
import { startWandering } from './wandering.ts';

const signInTimeoutMs = 60_000;
/** Connections are opened in small steps: the first sign-in of a number is the dearest of all requests. */
const openingEveryMs = 5;
const wanderersTimeoutMs = 60_000;

export type Load = {
  readonly population: Population;
  readonly probe: Probe;
  readonly devices: readonly Device[];
  /** Ends the sending; the clients stay connected. */
  endSending(): Promise<void>;
  disconnect(): void;
};

export type LoadOptions = PopulationOptions & { readonly rate: number; readonly signal: AbortSignal };

/** Connects everybody, makes their groups, and lets them talk. */
export async function startLoad(options: LoadOptions): Promise<Load> {
  const { ledger, ownUrls, random, rate, signal } = options;
  const population = populate(options);
  const probe = new Probe(ledger, ownUrls, random);
  const peoples = population.people.flatMap((person) => person.devices);
  const devices = [...peoples, ...probe.devices];
  for (const device of devices) {
    void device.run();
    await pause(openingEveryMs, undefined, { signal });
  }
  await allSignedIn(devices, signal);
  await makeGroups(ledger, population, random);
  await probe.start();
  const chatter = startChatter(ledger, population.groups, rate, random);
  const restlessness = startRestlessness(peoples, random);
  const wandering = startWandering(ledger, population.groups, random);
  return {
    population,
    probe,
    devices,
    endSending: async () => {
      chatter.stop();
      restlessness.stop();
      probe.stop();
      await Promise.race([wandering.stop(), pause(wanderersTimeoutMs, undefined, { ref: false })]);
    },
    disconnect: () => {
      for (const device of devices) device.stop();
    },
  };
}

async function allSignedIn(devices: readonly Device[], signal: AbortSignal): Promise<void> {
  const startedAt = now();
  while (devices.some(({ isSignedIn }) => !isSignedIn)) {
    const missing = devices.filter(({ isSignedIn }) => !isSignedIn).length;
    if (now() - startedAt > signInTimeoutMs) throw new Error(`${missing} clients cannot sign in`);
    await pause(50, undefined, { signal });
  }
}

async function makeGroups(ledger: Ledger, { groups }: Population, random: Random): Promise<void> {
  for (const group of groups) {
    const device = random.pick(group.owner.devices);
    const members = group.members.map(({ sid }) => sid);
    const answer = await createGroup(ledger, device, group.name, members);
    if (!answer.ok || answer.groupId === undefined) throw new Error(`${group.name} could not be made`);
    group.id = answer.groupId;
  }
}
