import type { Population } from './population.ts';
import type { PopulationSpec } from './population-spec.ts';

/** Given to a load process whose clients have processors of their own in earnest. */
export const giveWayFlag = '--give-way';

/** The calls of a load process, one at a time. `populate` comes first. */
export type Calls = Pick<
  Population,
  | 'exchange'
  | 'latenciesOutside'
  | 'disconnect'
  | 'storm'
  | 'missMessages'
  | 'reconnect'
  | 'beginDay'
  | 'day'
  | 'endDay'
  | 'leaveOneByOne'
  | 'signInAgain'
> & {
  populate(spec: PopulationSpec): Promise<void>;
};

export type CallName = keyof Calls;
export type Call = { readonly name: CallName; readonly params: unknown[] };
export type Reply = { readonly result?: unknown; readonly error?: string } | { readonly delivered: number };
