import { type CoreRequest, readRequest } from '@hooligram/contract';
import type { Context } from '../context.ts';
import { refusal } from '../requests/handler.ts';
import { reply, type Sender } from './reply.ts';

export type ReadEntry = {
  /** The requests that can be handled here, each with its place in the entry. */
  readonly requests: readonly (readonly [index: number, request: CoreRequest])[];
  /** Whether there is a request of a type that is not known here: the entry is left to a newer core then. */
  readonly isUnknown: boolean;
};

/**
 * Checks the requests of an entry before any of them is used: any process may have written it. A request that no
 * release has written is answered with FAILURE if it says where to reply, and is otherwise ignored.
 */
export function readRequests(context: Context, entry: Sender, items: readonly unknown[]): ReadEntry {
  const { log, metrics } = context;
  const requests: [number, CoreRequest][] = [];
  let isUnknown = false;
  for (const [index, item] of items.entries()) {
    const read = readRequest(item);
    if (read.is === 'request') requests.push([index, read.request]);
    else if (read.is === 'unknown') {
      isUnknown = true;
      log.warn({ entry: entry.id, type: read.type }, 'request of an unknown type is left to a newer core');
    } else {
      metrics.requestsUnreadable.inc();
      log.warn({ entry: entry.id, ref: read.ref }, 'unreadable request in an entry');
      if (read.ref === undefined) continue;
      reply(context, entry, { ref: read.ref }, refusal('internalError'));
    }
  }
  return { requests, isUnknown };
}
