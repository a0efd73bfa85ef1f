import type { Entry } from '@hooligram/bus';
import { type CoreRequest, readRequest } from '@hooligram/contract';
import type { Context } from '../context.ts';
import { answerOf, refusal } from '../requests/handler.ts';

export type ReadEntry = {
  /** What can be handled here, each with its place in the entry. */
  readonly requests: readonly (readonly [index: number, request: CoreRequest])[];
  /** Whether there is something of a type that is not known here: the entry is left to a newer core then. */
  readonly isUnknown: boolean;
};

/**
 * Looks at what stands in an entry before any of it is used: anybody may have written it. What no release has written
 * is answered with FAILURE if it names where to, and is nobody else's business.
 */
export function readRequests(context: Context, entry: Entry<unknown>): ReadEntry {
  const { log, metrics, publisher } = context;
  const requests: [number, CoreRequest][] = [];
  let isUnknown = false;
  for (const [index, item] of entry.requests.entries()) {
    const read = readRequest(item);
    if (read.is === 'request') requests.push([index, read.request]);
    else if (read.is === 'unknown') {
      isUnknown = true;
      log.warn({ entry: entry.id, type: read.type }, 'request of an unknown type is left to a newer core');
    } else {
      metrics.requestUnreadable();
      log.warn({ entry: entry.id, ref: read.ref }, 'unreadable request in an entry');
      if (read.ref === undefined) continue;
      publisher.answer(entry.node, answerOf(context, read.ref, refusal('internalError')));
    }
  }
  return { requests, isUnknown };
}
