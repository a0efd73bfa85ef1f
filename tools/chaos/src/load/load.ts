import { setTimeout as pause } from 'node:timers/promises';
import { addStrangers } from '../database.ts';
import type { Random } from '../random.ts';
import { populateColdly, startComingAndGoing } from './cold-population.ts';
import { startConnectionChurn } from './connection-churn.ts';
import type { Device } from './device.ts';
import { type HeavyPopulation, populateHeavily } from './heavy-population.ts';
import { startMemberChurn } from './member-churn.ts';
import { type MessageLoad, startMessageLoad } from './message-load.ts';
import { type PlannedGroup, type Population, type PopulationOptions, populate } from './population.ts';
import { Probe } from './probe.ts';

const signInTimeoutMs = 60_000;
/** Connections are opened in small steps: the first sign-in of a number costs more than any other request. */
const openingEveryMs = 5;
const leaversTimeoutMs = 60_000;
/** How often a cold group has a message, unless that would be more than half of all. */
const coldEverySeconds = 20;
const creatingAtATime = 20;

export type Load = {
  /** Without those who cost more than others: a fault for one of those alone would say little. */
  readonly population: Population;
  readonly probe: Probe;
  readonly messages: readonly MessageLoad[];
  readonly devices: readonly Device[];
  /** How many groups messages are sent to. */
  readonly groupsCount: number;
  /** Ends the sending; the clients stay connected. */
  endSending(): Promise<void>;
  disconnect(): Promise<void>;
};

export type LoadOptions = PopulationOptions & {
  readonly rate: number;
  /** How many groups have a message now and then, and most members away. */
  readonly coldGroups: number;
  /** How many groups the heavy user is in. */
  readonly heavyGroups: number;
  /** Members of the large group. */
  readonly largeGroup: number;
  readonly databaseUrl: string;
  readonly signal: AbortSignal;
};

/** Connects all devices, creates the groups, and starts messages and churn. */
export async function startLoad(options: LoadOptions): Promise<Load> {
  const { history, ownUrls, random, rate, signal } = options;
  const everybody = populate(options);
  const heavily = await populateHeavily(options, everybody, options);
  const coldly = populateColdly(options, everybody, options.coldGroups);
  const groups = [...everybody.groups, ...heavily.groups];
  const coldGroups = [...coldly.groups, ...heavily.coldGroups];
  const probe = new Probe(history, ownUrls, random);
  const usersDevices = [...everybody.users, ...heavily.users].flatMap((user) => user.devices);
  const coldDevices = coldly.users.flatMap((user) => user.devices);
  const devices = [...usersDevices, ...coldDevices, ...probe.devices];
  for (const device of devices) {
    void device.run();
    await pause(openingEveryMs, undefined, { signal });
  }
  await allSignedIn(devices, signal);
  await createGroups([...groups, ...coldGroups], random);
  await enlarge(heavily, options);
  await probe.start();
  const coldRate = Math.min(coldGroups.length / coldEverySeconds, rate / 2);
  const messages = [
    startMessageLoad(groups, rate - coldRate, random, 'message'),
    ...(coldGroups.length > 0 ? [startMessageLoad(coldGroups, coldRate, random, 'cold message')] : []),
  ];
  const stopping = [
    ...messages,
    startConnectionChurn(usersDevices, random),
    startComingAndGoing(coldly.users, random),
    probe,
  ];
  const memberChurn = startMemberChurn([...groups, ...coldGroups], random);
  return {
    population: everybody,
    probe,
    messages,
    devices,
    groupsCount: groups.length + coldGroups.length,
    endSending: async () => {
      for (const each of stopping) each.stop();
      await Promise.race([memberChurn.stop(), pause(leaversTimeoutMs, undefined, { ref: false })]);
    },
    disconnect: async () => {
      for (const device of devices) device.stop();
      await heavily.stop();
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

async function createGroups(groups: readonly PlannedGroup[], random: Random): Promise<void> {
  for (let first = 0; first < groups.length; first += creatingAtATime) {
    await Promise.all(
      groups.slice(first, first + creatingAtATime).map((group) => createGroup(group, random)),
    );
  }
}

async function createGroup(group: PlannedGroup, random: Random): Promise<void> {
  const { outbox } = random.pick(group.owner.devices);
  const sids = group.members.map(({ sid }) => sid);
  group.id = await outbox.createGroup(group.name, sids);
  if (group.id === undefined) throw new Error(`${group.name} could not be created`);
}

/** Brings the large group to its size with users who never connect, and has its next state told to everybody. */
async function enlarge({ largeGroup }: HeavyPopulation, options: LoadOptions): Promise<void> {
  const { id, owner, members } = largeGroup;
  if (id === undefined) return;
  await addStrangers(options.databaseUrl, id, options.largeGroup - members.length);
  const last = members.at(-1) as typeof owner;
  await options.random.pick(last.devices).outbox.leaveGroup(id);
  await options.random.pick(owner.devices).outbox.addMember(id, last.sid);
}
