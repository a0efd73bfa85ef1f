import type { Population } from '../load/population.ts';

type People = Pick<Population, 'people' | 'groups' | 'conversations'>;

/**
 * Groups of neighbours: clients take the gateways in turn, so the members of each are spread over them all. So are
 * the senders: in each group it is the member after the one of the group before.
 */
export function neighbours(groups: number, size: number): People {
  return {
    people: groups * size,
    groups: Array.from({ length: groups }, (_, group) =>
      Array.from({ length: size }, (_, index) => group * size + ((group + index) % size)),
    ),
    conversations: groups,
  };
}

const idleGroupSize = 10;

/**
 * Neighbours who speak, and idle ones besides: people in no group, and groups of ten of those who speak.
 * @param people in all
 * @param groups in all
 */
export function withIdle(speaking: number, size: number, people: number, groups: number): People {
  const active = neighbours(speaking, size);
  const idle = Array.from({ length: groups - speaking }, (_, group) =>
    // Odd steps: members of each are on all gateways.
    Array.from({ length: idleGroupSize }, (_, member) => (group * 7 + member * 97) % active.people),
  );
  return { people, groups: [...active.groups, ...idle], conversations: speaking };
}

/** Everybody is in `layers` groups of `size`, each time with others. `people` must be a multiple of `size`. */
export function layered(people: number, size: number, layers: number): People {
  const groups: number[][] = [];
  for (let layer = 0; layer < layers; layer += 1) {
    // People who are so far apart meet: 1, then `size`, and so on, until it wraps round.
    const step = strides[layer] as number;
    const order = Array.from({ length: people }, (_, index) => (index * step) % people);
    for (let first = 0; first < people; first += size) groups.push(order.slice(first, first + size));
  }
  return { people, groups, conversations: 0 };
}

/** Primes that divide none of the numbers of people: each makes an order of its own of all of them. */
const strides = [1, 7, 11, 13, 17, 19, 23, 29, 31, 37];
