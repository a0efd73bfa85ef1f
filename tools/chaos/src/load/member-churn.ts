import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../random.ts';
import type { PlannedGroup, User } from './population.ts';

const stayMs = { min: 4_000, max: 20_000 };
const absenceMs = { min: 500, max: 5_000 };
/** The leaver creates a new group, too, at one in so many returns. */
const creatingEvery = 4;

/** Lets users leave groups and be added again by the owner, until it is stopped. */
export function startMemberChurn(groups: readonly PlannedGroup[], random: Random): { stop(): Promise<void> } {
  const abort = new AbortController();
  // Every leaver waits for it.
  setMaxListeners(0, abort.signal);
  const leavers = groups.flatMap((group) =>
    group.leavers.map((leaver) => leaveAndReturn(group, leaver, random, abort.signal)),
  );
  return {
    stop: async () => {
      abort.abort();
      await Promise.all(leavers);
    },
  };
}

/** Ends only while no change is pending. */
async function leaveAndReturn(
  { id, name, owner, members }: PlannedGroup,
  leaver: User,
  random: Random,
  signal: AbortSignal,
): Promise<void> {
  const wait = ({ min, max }: { min: number; max: number }) =>
    pause(random.integer(min, max), undefined, { signal }).catch(() => undefined);
  for (let round = 1; id !== undefined; round += 1) {
    await wait(stayMs);
    if (signal.aborted) return;
    const device = random.pick(leaver.devices);
    // A message right before the leave: the server decides, once, whether it is stored before.
    void device.outbox.sendMessage(id, `${device.name} leaves ${name} for the ${round}. time`);
    await device.outbox.leaveGroup(id);
    await wait(absenceMs);
    if (signal.aborted) return;
    await random.pick(owner.devices).outbox.addMember(id, leaver.sid);
    if (round % creatingEvery !== 0) continue;
    const third = members.find((member) => member !== owner && member !== leaver);
    // Two alone would get their direct message, which may be there already.
    if (!third) continue;
    const newName = `${name}, created again by ${leaver.sid}, ${round}`;
    await createGroup(newName, leaver, [owner, leaver, third]);
  }
}

async function createGroup(name: string, creator: User, members: readonly User[]): Promise<void> {
  const [device] = creator.devices;
  if (!device) return;
  const sids = members.map(({ sid }) => sid);
  const id = await device.outbox.createGroup(name, sids);
  if (id !== undefined) await device.outbox.sendMessage(id, `${device.name} created ${id} as ${name}`);
}
