/** Every type of job, with what a dead letter of it begins with when an operator has it run again. */
export const jobReplays = {
  'delivery-check': ({ bucket }) => (isId(bucket) ? { data: { bucket }, key: String(bucket) } : undefined),
  redelivery: ({ user_id }) => (isId(user_id) ? { data: { user_id }, key: String(user_id) } : undefined),
  sweep: () => ({ data: {}, key: 'replayed' }),
} as const satisfies Readonly<
  Record<string, (data: Readonly<Record<string, unknown>>) => JobReplay | undefined>
>;

/** While one with the same key waits, it stands for both. */
export type JobReplay = { readonly data: object; readonly key: string };
export type JobName = keyof typeof jobReplays;

export const jobNames = Object.keys(jobReplays) as readonly JobName[];

/** @returns undefined for what this release cannot read */
export function replayOf(name: JobName, data: unknown): JobReplay | undefined {
  return typeof data === 'object' && data !== null ? jobReplays[name]({ ...data }) : undefined;
}

function isId(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}
