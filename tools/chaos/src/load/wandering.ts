import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../random.ts';
import type { Ledger } from '../verdict/ledger.ts';
import { addMember, createGroup, leaveGroup, sendMessage } from './acts.ts';
import { deviceOf } from './chatter.ts';
import type { Person, PlannedGroup } from './population.ts';

const stayMs = { min: 4_000, max: 20_000 };
const absenceMs = { min: 500, max: 5_000 };
/** One in so many returns founds a new group, too. */
const foundingEvery = 4;

/** Lets people leave groups and be added again by the owner, until it is stopped. */
export function startWandering(
  ledger: Ledger,
  groups: readonly PlannedGroup[],
  random: Random,
): { stop(): Promise<void> } {
  const abort = new AbortController();
  // Every one of them waits for it.
  setMaxListeners(0, abort.signal);
  const walks = groups.flatMap((group) =>
    group.wanderers.map((wanderer) => wander(ledger, group, wanderer, random, abort.signal)),
  );
  return {
    stop: async () => {
      abort.abort();
      await Promise.all(walks);
    },
  };
}

/** Ends only in a moment in which no change is on its way. */
async function wander(
  ledger: Ledger,
  { id, name, owner, members }: PlannedGroup,
  wanderer: Person,
  random: Random,
  signal: AbortSignal,
): Promise<void> {
  const wait = ({ min, max }: { min: number; max: number }) =>
    pause(random.integer(min, max), undefined, { signal }).catch(() => undefined);
  for (let round = 1; id !== undefined; round += 1) {
    await wait(stayMs);
    if (signal.aborted) return;
    // A last word right before leaving: whether it is stored before is the server's to decide, once.
    const leaver = deviceOf(wanderer, random);
    void sendMessage(ledger, leaver, id, `${leaver.name} leaves ${name} for the ${round}. time`);
    await leaveGroup(ledger, leaver, id);
    await wait(absenceMs);
    if (signal.aborted) return;
    await addMember(ledger, deviceOf(owner, random), id, wanderer.sid);
    if (round % foundingEvery !== 0) continue;
    const newName = `${name}, founded anew by ${wanderer.sid}, ${round}`;
    await found(ledger, newName, wanderer, [owner, wanderer, members.at(-1) ?? owner]);
  }
}

/** A new group in the middle of it all, with a first message. */
async function found(
  ledger: Ledger,
  name: string,
  founder: Person,
  members: readonly Person[],
): Promise<void> {
  const [device] = founder.devices;
  if (!device) return;
  const sids = members.map(({ sid }) => sid);
  const answer = await createGroup(ledger, device, name, sids);
  if (!answer.ok || answer.groupId === undefined) return;
  await sendMessage(ledger, device, answer.groupId, `${device.name} founded ${answer.groupId} as ${name}`);
}
