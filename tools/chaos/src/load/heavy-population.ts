import { FaultyTcpProxy } from '@hooligram/testkit/proxies';
import type { Random } from '../random.ts';
import { Device } from './device.ts';
import type { PlannedGroup, Population, PopulationOptions, User } from './population.ts';

/** So many of the heavy user's groups have as many messages as those of everybody, the others a message now and then. */
const busyGroupsMax = 40;
/** So long the heavy user stays away whenever a connection has ended: meanwhile much waits. */
const awayMs = 15_000;
/** A poor mobile connection: 2 Mbit/s, 50 ms. */
const slowLink = { bytesPerSecond: 250_000, delayMs: 50 };
/** How many users of the population are members of the large group. */
const largeGroupUsers = 20;

/** Users and groups that cost more than those of everybody, and must make nobody wait. */
export type HeavyPopulation = {
  readonly users: readonly User[];
  readonly groups: readonly PlannedGroup[];
  /** Those with a message now and then. */
  readonly coldGroups: readonly PlannedGroup[];
  /** Its other members are never connected. */
  readonly largeGroup: PlannedGroup;
  stop(): Promise<void>;
};

type Sizes = {
  /** How many groups the heavy user is in, beside the large one. */
  readonly heavyGroups: number;
  /** Members of the large group. */
  readonly largeGroup: number;
};

/** Plans a user in very many groups who is often away, a user behind a slow link, and a large group with both of them. */
export async function populateHeavily(
  options: PopulationOptions,
  { users }: Population,
  sizes: Sizes,
): Promise<HeavyPopulation> {
  const { url, random } = options;
  const proxy = await FaultyTcpProxy.start(url, { link: slowLink });
  const heavy = user(options, 0, [url], { awayMs });
  const slow = user(options, 1, [proxy.urlOf(url)]);
  const groups = Array.from({ length: sizes.heavyGroups }, (_, index) => {
    // Two users alone would have one and the same direct message each time.
    const members =
      index < busyGroupsMax ? [random.pick(users), heavy, slow] : [...twoOf(users, random), heavy];
    return plan(`heavy ${index + 1}`, members, random);
  });
  const others = random.shuffled(users).slice(0, Math.min(largeGroupUsers, sizes.largeGroup - 2));
  const largeGroup = plan('large', [...others, heavy, slow], random);
  return {
    users: [heavy, slow],
    groups: [...groups.slice(0, busyGroupsMax), largeGroup],
    coldGroups: groups.slice(busyGroupsMax),
    largeGroup,
    stop: () => proxy.stop(),
  };
}

function twoOf(users: readonly User[], random: Random): [User, User] {
  const first = random.integer(0, users.length - 1);
  const second = (first + random.integer(1, users.length - 1)) % users.length;
  return [users[first] as User, users[second] as User];
}

function plan(name: string, members: readonly User[], random: Random): PlannedGroup {
  return {
    name,
    owner: members[0] as User,
    members,
    leavers: random.next() < 0.1 ? members.slice(1, 2) : [],
  };
}

function user(
  { history, random }: PopulationOptions,
  index: number,
  urls: readonly string[],
  more: { awayMs?: number } = {},
): User {
  const sid = `888.${10_090_000_000 + index}`;
  return { sid, devices: [new Device({ sid, name: `${sid}#1`, urls, history, random, ...more })] };
}
