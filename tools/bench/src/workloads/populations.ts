import type { PopulationSpec } from '../load/population-spec.ts';

type Users = Pick<PopulationSpec, 'users' | 'groups' | 'streams'>;

/**
 * Groups of neighbours: clients connect to the gateways in turn, so the members of each group are spread over all
 * gateways. So are the senders: in each group it is the member after that of the group before.
 */
export function neighbours(groups: number, size: number): Users {
  return {
    users: groups * size,
    groups: Array.from({ length: groups }, (_, group) =>
      Array.from({ length: size }, (_, index) => group * size + ((group + index) % size)),
    ),
    streams: groups,
  };
}

const idleGroupSize = 10;

/** Primes that divide none of the numbers of users: each makes another order of all of them. */
const strides = [1, 7, 11, 13, 17, 19, 23, 29, 31, 37];

/**
 * Neighbours who send, and an idle rest: users in no group, and groups of ten of the users who send.
 * @param users in all
 * @param groups in all
 */
export function withIdle(streams: number, size: number, users: number, groups: number): Users {
  const active = neighbours(streams, size);
  const idle = Array.from({ length: groups - streams }, (_, group) =>
    // Odd steps: members of each group are on all gateways.
    Array.from({ length: idleGroupSize }, (_, member) => (group * 7 + member * 97) % active.users),
  );
  return { users, groups: [...active.groups, ...idle], streams };
}

/** Every user is in `layers` groups of `size`, each time with others. `users` must be a multiple of `size`. */
export function layered(users: number, size: number, layers: number): Users {
  const groups: number[][] = [];
  for (let layer = 0; layer < layers; layer += 1) {
    // Users at this distance share a group; it wraps round at the end.
    const step = strides[layer] as number;
    const order = Array.from({ length: users }, (_, index) => (index * step) % users);
    for (let first = 0; first < users; first += size) groups.push(order.slice(first, first + size));
  }
  return { users, groups, streams: 0 };
}

const largestShare = 0.05;
const zipfExponent = 0.8;

/**
 * Half as many groups as users, whose sizes fall with their rank as words of a language do: the largest has a twentieth of
 * all users, most have two. A sender each; members of a group are spread over all users.
 */
export function zipf(users: number): Users {
  const groups = Array.from({ length: Math.floor(users / 2) }, (_, rank) => {
    const size = Math.max(2, Math.floor((users * largestShare) / (rank + 1) ** zipfExponent));
    const step = strides[1 + (rank % (strides.length - 1))] as number;
    return [...new Set(Array.from({ length: size }, (_, member) => (rank * 2 + member * step) % users))];
  });
  return { users, groups, streams: groups.length };
}
