import type { CodecName } from './codec.ts';

/** The users of a load process, their groups, and how they connect. */
export type PopulationSpec = {
  readonly codec: CodecName;
  /** Client `i` connects to the url with the index `i` modulo their number. */
  readonly urls: readonly string[];
  readonly code: string;
  /** The address of this machine from which they connect. One has some 28,000 ports. Default: any. */
  readonly localAddress?: string;
  readonly users: number;
  /** The phone number of the first user; the others have the next ones. */
  readonly firstNumber: number;
  /** The members of each group by their index, the sender first. */
  readonly groups: readonly (readonly number[])[];
  /** How many groups have a stream of messages: the first ones. The others are idle. */
  readonly streams: number;
  /** A message that was received may come again: a system that has too much to do may be late to note acknowledgements. */
  readonly mayRepeat?: boolean;
};
