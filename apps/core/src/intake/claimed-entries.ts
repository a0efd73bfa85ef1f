import type { Entry } from '@hooligram/bus';
import type { CoreRequest, Outcome } from '@hooligram/contract';
import { hasOlderTransaction } from '@hooligram/db';
import type { Context } from '../context.ts';
import { countOutcome } from '../metrics.ts';
import { handlerOf } from '../requests/index.ts';
import { gapPageHandler, isGapPage } from '../requests/replay-page.ts';
import type { EntryDeadlines } from '../shards/shard.ts';
import { recordUnpublished } from './dead-letters.ts';
import { giveUp } from './give-up.ts';
import type { InProgressMarkers } from './in-progress-markers.ts';
import { type ReadEntry, readRequests } from './read-requests.ts';
import { recover } from './recovery.ts';
import { reply } from './reply.ts';
import { tryBatch } from './run-batch.ts';

/**
 * An entry whose publications failed so often in this core is not published again: so many breaks are no coincidence. Claims
 * that waited for something else do not count. Redis refuses something of it, and as long as it comes back each round keeps others from leaving, too.
 * What it did is stored, and its delivery checks are scheduled.
 */
const unpublishedMax = 10;
/** Of how many entries that is remembered. */
const failedKept = 10_000;

/** An entry that was claimed from a core that died, froze, or could not reach the database. */
type ClaimedEntry = Entry<unknown> & {
  readonly shard: number;
  /** See `EntryDeadlines`. */
  readonly latest: number;
  readonly read: ReadEntry;
  /** The places of requests that were in progress when an earlier core died or froze. */
  readonly interrupted: ReadonlySet<number>;
};

/** The Redis on which an entry was claimed. */
export type ClaimSource = {
  /** Its place among several. */
  readonly shard: number;
  readonly markers: InProgressMarkers;
  readonly deadlines: EntryDeadlines;
  /** How often the publications of an entry failed in this core, by its id. */
  readonly failed: Map<string, number>;
};

/**
 * Runs a claimed entry. One of its requests may be what ended the earlier core, so the entry runs alone.
 *
 * Before the deadline its requests run one after the other, and each is marked while it runs. A request that is found
 * marked is skipped, and so are the later requests of its session. So is one that was answered with a refusal already, alone:
 * what that core refused this one might do, after its client has been told. All others run, and what is refused of them stays
 * refused: an earlier core that was frozen may yet run it.
 *
 * After the deadline no request is begun, because its gateway may have written it again. The entry waits until no
 * transaction of an earlier run can still be open. Then each request that had its effect is published and answered
 * again, each marked one that had no effect is given up, and the rest gets no answer.
 *
 * An entry that is done and cannot be published is finished all the same after `unpublishedMax` tries.
 *
 * @param source on which Redis it was claimed
 * @param deliveries how often the entry was given to a core, this time included
 * @returns false if all is done but requests of a type that is not known here: a newer core may know it
 */
export async function runClaimed(
  context: Context,
  { shard, markers, deadlines, failed }: ClaimSource,
  given: Entry<unknown>,
  deliveries: number,
): Promise<boolean> {
  const { clock, config, log, metrics, publisher } = context;
  const entry = { ...given, shard, deadline: deadlines.of(given.deadline) };
  const now = clock.now();
  const isExpired = now > entry.deadline;
  if (isExpired && now < entry.deadline + config.STATEMENT_TIMEOUT_MS) return true;
  log.info({ entry: entry.id, requests: entry.requests.length, deliveries, isExpired }, 'entry claimed');
  metrics.entriesClaimed.inc();
  const failuresBefore = publisher.failures(shard);
  const interrupted = await markers.read(entry.id);
  const latest = deadlines.latestOf(given.deadline);
  const claimed = { ...entry, latest, read: readRequests(context, entry, entry.requests), interrupted };
  const isDone = isExpired
    ? await conclude(context, markers, claimed)
    : await runOneByOne(context, markers, claimed);
  await context.deliveryChecks.settled();
  const { isUnknown } = claimed.read;
  if (!isDone || isUnknown) {
    await publisher.flushed();
    return !isDone || !isUnknown;
  }
  publisher.finish(entry.id, failuresBefore, shard);
  await publisher.flushed();
  const failures = publisher.failures(shard) === failuresBefore ? 0 : (failed.get(entry.id) ?? 0) + 1;
  failed.delete(entry.id);
  if (failures > 0 && failures < unpublishedMax) {
    failed.set(entry.id, failures);
    // Some were ended by other cores.
    const [oldest] = failed.keys();
    if (oldest !== undefined && failed.size > failedKept) failed.delete(oldest);
  }
  if (failures >= unpublishedMax) {
    recordUnpublished(context, claimed.read.requests, { entry: entry.id, deliveries });
    publisher.finish(entry.id, publisher.failures(shard), shard);
    await publisher.flushed();
  }
  return true;
}

/** @returns whether every request that is known here has its outcome */
async function runOneByOne(
  context: Context,
  markers: InProgressMarkers,
  entry: ClaimedEntry,
): Promise<boolean> {
  const { clock, db, deliveryChecks, metrics, publisher } = context;
  const { requests } = entry.read;
  const stopped = new Set<string>();
  for (const [index, request] of requests) {
    const orderKey = orderKeyOf(index, request);
    if (entry.interrupted.has(index)) stopped.add(orderKey);
    if (stopped.has(orderKey)) continue;
    if (clock.now() > entry.deadline) return false;
    // Not all at once: a core that was frozen goes on whenever it wakes.
    const refused = await markers.readRefused(entry.id);
    if (refused.has(request.request_id)) continue;
    await markers.add(entry.id, index);
    // It may still be on its way there.
    const due = [{ ...request, again: true, deadline: entry.deadline }];
    // One that waits for a row is left to the next claim, so that other entries need not wait for it.
    const handler = isGapPage(request) ? gapPageHandler : handlerOf(request.type);
    const result = await tryBatch(context, request.type, handler, due);
    const outcome = result.is === 'done' ? result.outcomes[0] : undefined;
    const epoch = db.epoch.current;
    await markers.remove(entry.id, index);
    if (outcome === undefined || db.epoch.current !== epoch) {
      // The outcome is not known, or belongs to a history that is gone. The entry stays and runs again; until then the
      // later requests of the same session must not overtake this one.
      stopped.add(orderKey);
      continue;
    }
    countOutcome(metrics, request.type, outcome);
    reply(context, entry, request, outcome);
    await deliveryChecks.settled();
    // Not for what may be large: that of others is on its way before it.
    await publisher.published();
  }
  return stopped.size === 0;
}

/**
 * Requests with the same key must not overtake each other: the messages of a session, many of which are in progress at
 * once. An entry does not say which session sent a request, but a user has few sessions. Of everything else a session
 * has one request at a time.
 */
function orderKeyOf(index: number, request: CoreRequest): string {
  return request.type === 'MESSAGING_SEND' ? `user ${request.params.user_id}` : `request ${index}`;
}

/** @returns false while it is too early, and if what was found meanwhile belongs to a history that is gone */
async function conclude(context: Context, markers: InProgressMarkers, entry: ClaimedEntry): Promise<boolean> {
  const { requests } = entry.read;
  const epoch = context.db.epoch.current;
  // A statement that began in time is over by now, unless its COMMIT waits, which no timeout ends.
  if (await hasOlderTransaction(context.db, entry.latest)) return false;
  const recovered = await recover(
    context,
    requests.map(([, request]) => request),
  );
  const outcomes: (Outcome | 'expired' | undefined)[] = [];
  for (const [place, [index, request]] of requests.entries()) {
    const isInterrupted = entry.interrupted.has(index);
    outcomes.push(recovered[place] ?? (isInterrupted ? await giveUpOrRecover(context, request) : 'expired'));
  }
  if (context.db.epoch.current !== epoch) return false;
  for (const [place, [, request]] of requests.entries()) {
    const outcome = outcomes[place];
    countOutcome(context.metrics, request.type, outcome);
    if (outcome && outcome !== 'expired') reply(context, entry, request, outcome);
  }
  await markers.removeAll(entry.id);
  return true;
}

async function giveUpOrRecover(context: Context, request: CoreRequest): Promise<Outcome | undefined> {
  const givenUp = await giveUp(context, request, 'the core that ran it did not end it');
  // If it cannot be given up, it has had its effect a moment ago.
  return givenUp ?? (await recover(context, [request]))[0];
}
