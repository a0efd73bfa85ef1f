/**
 * What the stack of a run has for a Redis, and how many addresses that is: one; a list, of which each holds a part of the
 * groups and users; a primary and its replica, to which Sentinels lead; or a cluster of three masters and their replicas.
 */
export const redisForms = { one: 1, list: 3, sentinel: 1, cluster: 1 } as const;

export type RedisForm = keyof typeof redisForms;
