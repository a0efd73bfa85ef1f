import type { Random } from '../random.ts';
import type { Ledger } from '../verdict/ledger.ts';
import { Device } from './device.ts';

export type Person = { readonly sid: string; readonly devices: readonly Device[] };

/** A group as it is meant to be; its id is known once its owner has made it. */
export type PlannedGroup = {
  readonly name: string;
  /** Makes the group and never leaves it. */
  readonly owner: Person;
  /** All who are in it at the beginning, the owner among them. */
  readonly members: readonly Person[];
  /** Those of the members who leave now and then, and are added again. */
  readonly wanderers: readonly Person[];
  id?: number;
};

export type Population = { readonly people: readonly Person[]; readonly groups: readonly PlannedGroup[] };

export type PopulationOptions = {
  readonly clients: number;
  /** The one that all gateways share. */
  readonly url: string;
  /** Of each gateway alone. */
  readonly ownUrls: readonly string[];
  readonly ledger: Ledger;
  readonly random: Random;
  /** Some of the clients go through this instead, if it is given. */
  readonly detourUrl?: string | undefined;
};

const membersMin = 2;
const membersMax = 20;
/** Every so many-th group has wanderers. */
const wanderingEvery = 4;
const detourEvery = 8;
const mobileEvery = 4;

/**
 * People of whom every third has two devices, and every fourth the mobile client on all of them, and a third as many
 * groups of 2 to 20 of them.
 */
export function populate(options: PopulationOptions): Population {
  const { clients, random } = options;
  const people = Array.from({ length: clients }, (_, i) => person(options, i));
  const groups = Array.from({ length: Math.max(1, Math.round(clients / 3)) }, (_, i) => {
    const size = Math.min(clients, random.integer(membersMin, i % 2 === 0 ? membersMax : membersMax / 4));
    const members = random.shuffled(people).slice(0, size);
    const isWandering = i % wanderingEvery === 0 && members.length > 4;
    const wanderers = isWandering ? members.slice(1, 1 + Math.ceil(members.length / 5)) : [];
    const name = members.length === 2 ? '' : `group ${i + 1}`;
    return { name, owner: members[0] as Person, members, wanderers };
  });
  return { people, groups: withoutTwins(groups) };
}

function person({ url, ownUrls, ledger, random, detourUrl }: PopulationOptions, i: number): Person {
  const sid = `888.${String(10_070_000_000 + i)}`;
  const isDetoured = detourUrl !== undefined && i % detourEvery === 0;
  // What goes wrong on the detour must not be made good by another device.
  const count = i % 3 === 0 && !isDetoured ? 2 : 1;
  const devices = Array.from({ length: count }, (_, k) => {
    const place = i + k;
    const own = ownUrls[place % ownUrls.length] as string;
    // Two in three know one gateway's own port, and go by the shared one when that fails.
    const urls = Math.floor(place / ownUrls.length) % 3 === 0 ? [url] : [own, url];
    return new Device({
      sid,
      name: `${sid}#${k + 1}`,
      urls: isDetoured ? [detourUrl] : urls,
      ledger,
      random,
      isMobile: i % mobileEvery === mobileEvery - 1,
    });
  });
  return { sid, devices };
}

/** A pair has one open direct message: a second one planned for it would be the same group. */
function withoutTwins(groups: readonly PlannedGroup[]): PlannedGroup[] {
  const pairs = new Set<string>();
  return groups.filter(({ members, name }) => {
    if (name !== '') return true;
    const pair = members
      .map(({ sid }) => sid)
      .sort()
      .join(' ');
    if (pairs.has(pair)) return false;
    pairs.add(pair);
    return true;
  });
}
