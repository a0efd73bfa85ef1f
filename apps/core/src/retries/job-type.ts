import type { JobKind, Verdict } from '@hooligram/bus/queues';
import type { Context } from '../context.ts';

export type Kind<D> = JobKind<Context, D>;

export const done = { verdict: 'done' } satisfies Verdict<never>;
