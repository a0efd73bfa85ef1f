import type { History } from '../checker/history.ts';
import type { Random } from '../random.ts';
import { Device } from './device.ts';

export type User = { readonly sid: string; readonly devices: readonly Device[] };

/** A group as it is planned; its id is known once its owner has created it. */
export type PlannedGroup = {
  readonly name: string;
  /** Creates the group and never leaves it. */
  readonly owner: User;
  /** All members at the beginning, the owner among them. */
  readonly members: readonly User[];
  /** The members who leave now and then, and are added again. */
  readonly leavers: readonly User[];
  id?: number | undefined;
};

export type Population = { readonly users: readonly User[]; readonly groups: readonly PlannedGroup[] };

export type PopulationOptions = {
  readonly clients: number;
  /** The address that all gateways share. */
  readonly url: string;
  /** The address of each gateway alone. */
  readonly ownUrls: readonly string[];
  readonly history: History;
  readonly random: Random;
  /** If it is given, some of the clients connect to it instead: the proxy of a self-test. */
  readonly proxyUrl?: string | undefined;
};

const membersMin = 2;
const membersMax = 20;
/** One in so many groups has leavers, if it is large enough. */
const leaversEvery = 4;
const proxiedEvery = 8;
const mobileEvery = 4;

/**
 * Plans users and a third as many groups of 2 to 20 users. Every third user has two devices, and every fourth has the
 * mobile client on all devices.
 */
export function populate(options: PopulationOptions): Population {
  const { clients, random } = options;
  const users = Array.from({ length: clients }, (_, i) => user(options, i));
  const groups = Array.from({ length: Math.max(1, Math.round(clients / 3)) }, (_, i) => {
    const size = Math.min(clients, random.integer(membersMin, i % 2 === 0 ? membersMax : membersMax / 4));
    const members = random.shuffled(users).slice(0, size);
    const hasLeavers = i % leaversEvery === 0 && members.length > 4;
    const leavers = hasLeavers ? members.slice(1, 1 + Math.ceil(members.length / 5)) : [];
    const name = members.length === 2 ? '' : `group ${i + 1}`;
    return { name, owner: members[0] as User, members, leavers };
  });
  return { users, groups: withoutTwins(groups) };
}

function user({ url, ownUrls, history, random, proxyUrl }: PopulationOptions, i: number): User {
  const sid = `888.${String(10_070_000_000 + i)}`;
  const isProxied = proxyUrl !== undefined && i % proxiedEvery === 0;
  // No other device may receive what the proxy loses.
  const count = i % 3 === 0 && !isProxied ? 2 : 1;
  const devices: Device[] = [];
  for (let k = 0; k < count; k += 1) {
    const index = i + k;
    const own = ownUrls[index % ownUrls.length] as string;
    // Two in three connect to one gateway's own port, and to the shared one when that fails.
    const urls = Math.floor(index / ownUrls.length) % 3 === 0 ? [url] : [own, url];
    const device = new Device({
      sid,
      name: `${sid}#${k + 1}`,
      verifiedBy: devices[0],
      urls: isProxied ? [proxyUrl] : urls,
      history,
      random,
      isMobile: i % mobileEvery === mobileEvery - 1,
    });
    devices.push(device);
  }
  return { sid, devices };
}

/** A pair has one open direct message: a second one planned for it would be the same group. */
export function withoutTwins(groups: readonly PlannedGroup[]): PlannedGroup[] {
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
