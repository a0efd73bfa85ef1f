import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../random.ts';
import { startConnectionChurn } from './connection-churn.ts';
import type { Device } from './device.ts';
import { startMemberChurn } from './member-churn.ts';
import { startMessageLoad } from './message-load.ts';
import { type Population, type PopulationOptions, populate } from './population.ts';
import { Probe } from './probe.ts';

const signInTimeoutMs = 60_000;
/** Connections are opened in small steps: the first sign-in of a number costs more than any other request. */
const openingEveryMs = 5;
const leaversTimeoutMs = 60_000;

export type Load = {
  readonly population: Population;
  readonly probe: Probe;
  readonly devices: readonly Device[];
  /** Ends the sending; the clients stay connected. */
  endSending(): Promise<void>;
  disconnect(): void;
};

export type LoadOptions = PopulationOptions & { readonly rate: number; readonly signal: AbortSignal };

/** Connects all devices, creates the groups, and starts messages and churn. */
export async function startLoad(options: LoadOptions): Promise<Load> {
  const { history, ownUrls, random, rate, signal } = options;
  const population = populate(options);
  const probe = new Probe(history, ownUrls, random);
  const usersDevices = population.users.flatMap((user) => user.devices);
  const devices = [...usersDevices, ...probe.devices];
  for (const device of devices) {
    void device.run();
    await pause(openingEveryMs, undefined, { signal });
  }
  await allSignedIn(devices, signal);
  await createGroups(population, random);
  await probe.start();
  const messageLoad = startMessageLoad(population.groups, rate, random);
  const connectionChurn = startConnectionChurn(usersDevices, random);
  const memberChurn = startMemberChurn(population.groups, random);
  return {
    population,
    probe,
    devices,
    endSending: async () => {
      for (const each of [messageLoad, connectionChurn, probe]) each.stop();
      await Promise.race([memberChurn.stop(), pause(leaversTimeoutMs, undefined, { ref: false })]);
    },
    disconnect: () => {
      for (const device of devices) device.stop();
    },
  };
}

async function allSignedIn(devices: readonly Device[], signal: AbortSignal): Promise<void> {
  const startedAt = performance.now();
  while (devices.some(({ isSignedIn }) => !isSignedIn)) {
    const missing = devices.filter(({ isSignedIn }) => !isSignedIn).length;
    if (performance.now() - startedAt > signInTimeoutMs) throw new Error(`${missing} clients cannot sign in`);
    await pause(50, undefined, { signal });
  }
}

async function createGroups({ groups }: Population, random: Random): Promise<void> {
  for (const group of groups) {
    const { outbox } = random.pick(group.owner.devices);
    const sids = group.members.map(({ sid }) => sid);
    group.id = await outbox.createGroup(group.name, sids);
    if (group.id === undefined) throw new Error(`${group.name} could not be created`);
  }
}
