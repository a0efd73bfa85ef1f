/**
 * What the stack of a run has for a Redis, and how many of them its launcher starts: one; a list, of which each holds a part
 * of the groups and users; or none, because Sentinels lead to a primary that is not the launcher's.
 */
export const redisForms = { one: 1, list: 3, sentinel: 0 } as const;

export type RedisForm = keyof typeof redisForms;
