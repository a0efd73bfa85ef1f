import { findAnswerFaults } from './find-answer-faults.ts';
import { findLost } from './find-lost.ts';
import { findMisdelivered } from './find-misdelivered.ts';
import { findReordered } from './find-reordered.ts';
import { findStoredTwice } from './find-stored-twice.ts';
import type { Ledger } from './ledger.ts';
import type { Truth } from './truth.ts';

export type FaultKind =
  /** A member from before it until the end has not got it; or it got SUCCESS and is not stored. */
  | 'lost'
  /** Somebody was given what was stored before they joined or after they left. */
  | 'misdelivered'
  /** One message, or one change of a group, took effect more than once. */
  | 'stored twice'
  /** Out of order: on its way to a connection, or in the database against the order of sending. */
  | 'reordered'
  /** What was received or stored is not what was sent. */
  | 'altered'
  /** An answer that is not true, or none at all. */
  | 'wrong answer';

/** One broken promise, with what is needed to look for its cause. */
export type Fault = {
  readonly kind: FaultKind;
  /** When it came about, as well as that can be told: which harm was at work then. */
  readonly at: number;
  readonly evidence: string;
};

/** Compares what clients recorded with what the database holds. Pure: the same input, the same faults. */
export function judge(ledger: Ledger, truth: Truth): Fault[] {
  return [
    ...findLost(ledger, truth),
    ...findMisdelivered(ledger, truth),
    ...findStoredTwice(ledger, truth),
    ...findReordered(ledger, truth),
    ...findAnswerFaults(ledger, truth),
  ];
}
