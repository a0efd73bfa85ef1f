import { setTimeout as pause } from 'node:timers/promises';
import { sendMessage } from '../load/acts.ts';
import { type HarmContext, victims } from './harm.ts';

const halfOpenMs = 20_000;
const slowMs = 8_000;
const burstMessages = 400;
/** More in all than a gateway and the system's own buffers keep for one connection. */
const burstCharacters = 40_000;
/** A burst is kept in memory once, but crosses the wire to every member. */
const burstMembersMax = 8;
const ignoringMs = 12_000;
const vanishingMs = 8_000;

/** Connections that are never read and never closed; their people come back on others. */
export async function halfOpen(context: HarmContext): Promise<void> {
  const devices = victims(context, 8);
  context.log(`${devices.length} clients leave their connections half open`);
  const left = devices.map((device) => device.abandon());
  const timer = setTimeout(() => {
    for (const connection of left) connection?.cut();
  }, halfOpenMs);
  timer.unref();
}

/** Members of one group stop reading while more is said there than the gateway keeps for them. */
export async function slowReaders(context: HarmContext): Promise<void> {
  const { ledger, log, population, random, signal } = context;
  const isFit = ({ length }: readonly unknown[]) => length >= 3 && length <= burstMembersMax;
  const group = random.pick(population.groups.filter(({ members }) => isFit(members)));
  const [speaker, ...readers] = random
    .shuffled(group.members.filter((member) => !group.wanderers.includes(member)))
    .map(({ devices }) => devices[0])
    .filter((device) => device?.isSignedIn);
  const connections = readers.slice(0, 3).map((reader) => reader?.connection);
  log(`${connections.length} members of group ${group.id} stop reading for ${slowMs / 1000} s`);
  for (const connection of connections) connection?.pause();
  try {
    for (let i = 0; i < burstMessages && speaker && group.id !== undefined; i += 1) {
      const content = `${speaker.name} burst ${ledger.sends.length} `.padEnd(burstCharacters, '.');
      void sendMessage(ledger, speaker, group.id, content);
      if (i % 10 === 0) await pause(slowMs / (burstMessages / 10), undefined, { signal });
    }
  } finally {
    for (const connection of connections) connection?.resume();
  }
}

/** Clients that acknowledge nothing for a while, and get all of it again on a new connection. */
export async function neverAcknowledge(context: HarmContext): Promise<void> {
  const devices = victims(context, 10);
  context.log(`${devices.length} clients acknowledge nothing for ${ignoringMs / 1000} s`);
  for (const device of devices) device.manner = 'ignore';
  try {
    await pause(ignoringMs, undefined, { signal: context.signal });
  } finally {
    for (const device of devices) {
      device.manner = 'keep';
      device.reconnect();
    }
  }
}

/** Clients that lose their connection, and the message, whenever they are given one. */
export async function vanish(context: HarmContext): Promise<void> {
  const devices = victims(context, 12);
  context.log(`${devices.length} clients vanish before they acknowledge, for ${vanishingMs / 1000} s`);
  for (const device of devices) device.manner = 'vanish';
  try {
    await pause(vanishingMs, undefined, { signal: context.signal });
  } finally {
    for (const device of devices) device.manner = 'keep';
  }
}
