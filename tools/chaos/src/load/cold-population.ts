import type { Random } from '../random.ts';
import { Device } from './device.ts';
import { type Population, type PopulationOptions, type User, withoutTwins } from './population.ts';

/** So many groups for each user who is seldom there. */
const groupsPerUser = 2;
/** One in so many groups is a direct message. */
const pairsShare = 0.6;
const membersMax = 6;
/** One in so many of the larger groups has a member who leaves now and then, which takes until they are there. */
const leaversEvery = 5;
/** On average; longer with many users, to spare the servers. */
const thereMs = 4_000;
const awayMs = 16_000;
const changesPerSecondMax = 40;
const tickMs = 100;

/**
 * Plans groups as most of a phone chat are: a message now and then, most members away. The members are users who are seldom
 * there, and in every second group one of everybody, who is. All of them are there at the beginning.
 */
export function populateColdly(
  { url, ownUrls, history, random }: PopulationOptions,
  everybody: Population,
  groupsCount: number,
): Population {
  const urls = [url, ...ownUrls];
  const users = Array.from({ length: Math.ceil(groupsCount / groupsPerUser) }, (_, i) => {
    const sid = `888.${10_095_000_000 + i}`;
    const preferred = urls[i % urls.length] as string;
    const device = new Device({
      sid,
      name: `${sid}#1`,
      urls: [preferred, url],
      history,
      random,
      isMobile: i % 4 === 3,
    });
    return { sid, devices: [device] };
  });
  const groups = Array.from({ length: groupsCount }, (_, i) => {
    const wanted = random.next() < pairsShare ? 2 : random.integer(3, membersMax);
    const there = i % 2 === 0 ? [random.pick(everybody.users)] : [];
    const members = [...there, ...distinct(users, wanted - there.length, random)];
    const isPair = members.length === 2;
    const leavers = !isPair && i % leaversEvery === 0 ? members.slice(-1) : [];
    return { name: isPair ? '' : `cold ${i + 1}`, owner: members[0] as User, members, leavers };
  });
  return { users, groups: withoutTwins(groups).filter(({ members }) => members.length > 1) };
}

function distinct(users: readonly User[], count: number, random: Random): User[] {
  const chosen = new Set<User>();
  while (chosen.size < Math.min(count, users.length)) chosen.add(random.pick(users));
  return [...chosen];
}

/** Lets users go and come back, so that one in five is there. When it is stopped, all come back. */
export function startComingAndGoing(users: readonly User[], random: Random): { stop(): void } {
  const devices = users.flatMap((user) => user.devices);
  const changesPerSecond = (2 * devices.length * 1_000) / (thereMs + awayMs);
  const slowness = Math.max(1, changesPerSecond / changesPerSecondMax);
  const timer = setInterval(() => {
    for (const device of devices) {
      const isDue = random.next() * slowness * (device.isAway ? awayMs : thereMs) < tickMs;
      if (!isDue) continue;
      if (device.isAway) device.comeBack();
      else device.goAway();
    }
  }, tickMs);
  return {
    stop: () => {
      clearInterval(timer);
      for (const device of devices) device.comeBack();
    },
  };
}
