import type { DatabaseSnapshot } from './database-snapshot.ts';
import { findLost } from './find-lost.ts';
import { findMisdelivered } from './find-misdelivered.ts';
import { findReordered } from './find-reordered.ts';
import { findStoredTwice } from './find-stored-twice.ts';
import { findWrongAnswers } from './find-wrong-answers.ts';
import type { History } from './history.ts';

export const violationTypes = [
  /** A member from before the message until the end has not received it; or it got SUCCESS and is not stored. */
  'lost',
  /** A user received a message that was stored before they joined or after they left. */
  'misdelivered',
  /** One message, or one change of a group, took effect more than once. */
  'stored twice',
  /** Delivered out of order to a connection, or stored against the order of sending. */
  'reordered',
  /** A message was stored or delivered with other content than was sent. */
  'altered',
  /** An answer is false, or missing. */
  'wrong answer',
] as const;

export type ViolationType = (typeof violationTypes)[number];

/** One broken promise, with the evidence to look for its cause. */
export type Violation = {
  readonly type: ViolationType;
  /** When it happened, as far as that is known: it tells the fault of that time. */
  readonly at: number;
  readonly evidence: string;
};

/** Compares the records of the clients with the database. Pure: the same input, the same violations. */
export function check(history: History, snapshot: DatabaseSnapshot): Violation[] {
  return [
    ...findLost(history, snapshot),
    ...findMisdelivered(history, snapshot),
    ...findStoredTwice(history, snapshot),
    ...findReordered(history, snapshot),
    ...findWrongAnswers(history, snapshot),
  ];
}
