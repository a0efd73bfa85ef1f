import { setTimeout as pause } from 'node:timers/promises';
import type { AckMode, Device } from '../load/device.ts';
import { type FaultContext, victims, whileItLasts } from './fault.ts';

const halfOpenMs = 20_000;
const slowMs = 8_000;
const burstMessages = 400;
/** In all more than a gateway and the buffers of the operating system keep for one connection. */
const burstCharacters = 40_000;
/** A burst is kept in memory once, but crosses the wire to every member. */
const burstMembersMax = 8;
const ignoringMs = 12_000;
const vanishingMs = 8_000;

/** Connections that are never read and never closed. Their users come back on others. */
export async function halfOpen(context: FaultContext): Promise<void> {
  const devices = victims(context, 8);
  context.log(`${devices.length} clients leave their connections half open`);
  const left = devices.map((device) => device.abandon());
  const timer = setTimeout(() => {
    for (const connection of left) connection?.cut();
  }, halfOpenMs);
  timer.unref();
}

/** Members of one group stop reading while it gets more messages than the gateway keeps for them. */
export async function slowReaders(context: FaultContext): Promise<void> {
  const { history, log, population, random, signal } = context;
  const isFit = ({ length }: readonly unknown[]) => length >= 3 && length <= burstMembersMax;
  const group = random.pick(population.groups.filter(({ members }) => isFit(members)));
  const [sender, ...readers] = random
    .shuffled(group.members.filter((member) => !group.leavers.includes(member)))
    .map(({ devices }) => devices[0])
    .filter((device) => device?.isSignedIn);
  const connections = readers.slice(0, 3).map((reader) => reader?.connection);
  log(`${connections.length} members of group ${group.id} stop reading for ${slowMs / 1000} s`);
  for (const connection of connections) connection?.pause();
  try {
    for (let i = 0; i < burstMessages && sender && group.id !== undefined; i += 1) {
      const content = `${sender.name} burst ${history.sends.length} `.padEnd(burstCharacters, '.');
      void sender.outbox.sendMessage(group.id, content);
      if (i % 10 === 0) await pause(slowMs / (burstMessages / 10), undefined, { signal });
    }
  } finally {
    for (const connection of connections) connection?.resume();
  }
}

/** Clients that acknowledge nothing for a while, and get all of it again on a new connection. */
export async function neverAcknowledge(context: FaultContext): Promise<void> {
  const devices = victims(context, 10);
  context.log(`${devices.length} clients acknowledge nothing`);
  try {
    await inAckMode('ignore', devices, ignoringMs, context);
  } finally {
    for (const device of devices) device.reconnect();
  }
}

/** Clients that lose their connection, and the message, at every delivery. */
export async function vanish(context: FaultContext): Promise<void> {
  const devices = victims(context, 12);
  context.log(`${devices.length} clients vanish before they acknowledge, for ${vanishingMs / 1000} s`);
  await inAckMode('disconnect', devices, vanishingMs, context);
}

async function inAckMode(
  ackMode: AckMode,
  devices: readonly Device[],
  usualMs: number,
  context: FaultContext,
): Promise<void> {
  for (const device of devices) device.ackMode = ackMode;
  try {
    await whileItLasts(usualMs, context);
  } finally {
    for (const device of devices) device.ackMode = 'acknowledge';
  }
}
