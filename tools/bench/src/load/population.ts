import type { SpeechName } from './speech.ts';

/** Who lives in a load process. */
export type Population = {
  readonly speech: SpeechName;
  /** Clients take them in turn. */
  readonly urls: readonly string[];
  readonly code: string;
  readonly people: number;
  /** Of the first of them; the others' follow. */
  readonly firstNumber: number;
  /** Members by their place, the sender first. */
  readonly groups: readonly (readonly number[])[];
  /** How many speak: the first ones. Only these are counted on, the others lie idle. */
  readonly conversations: number;
};
