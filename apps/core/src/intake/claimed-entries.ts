import type { Entry } from '@hooligram/bus';
import type { CoreRequest, Outcome, RequestType } from '@hooligram/contract';
import { hasOlderTransaction } from '@hooligram/db';
import type { Context } from '../context.ts';
import { answerOf, type Handler } from '../requests/handler.ts';
import { handlers } from '../requests/index.ts';
import { giveUp } from './give-up.ts';
import { type ReadEntry, readRequests } from './read-requests.ts';
import { recover } from './recovery.ts';
import { type Due, runBatch } from './run-batch.ts';

/** How long it is remembered which requests of an entry were begun and not ended. */
const suspectsSeconds = 3_600;

/**
 * Runs an entry that was claimed from a core that died, froze, or could not reach the database.
 *
 * - It runs alone, its requests one after the other, each marked while it runs: whatever was wrong with it harms
 *   nobody else's requests. One that is found marked has ended, or frozen, the core that ran it: it is not begun
 *   again, nor is what the same session asked behind it. The others have their run.
 * - After the deadline nothing is begun any more, because the gateway may have written it again. The entry is
 *   left until no transaction of an earlier run can be under way; then what was done is told again, what is marked
 *   and was not done is given up, and the rest gets no answer.
 *
 * @param deliveries how often the entry was given to somebody, this time included
 */
export async function runClaimed(context: Context, entry: Entry<unknown>, deliveries: number): Promise<void> {
  const { clock, config, log, metrics, redis, names } = context;
  const now = clock.now();
  const isExpired = now > entry.deadline;
  if (isExpired && now < entry.deadline + config.STATEMENT_TIMEOUT_MS) return;
  log.info({ entry: entry.id, requests: entry.requests.length, deliveries, isExpired }, 'entry claimed');
  metrics.entryClaimed();
  const suspects = new Set((await redis.smembers(names.inProgress(entry.id))).map(Number));
  const read = readRequests(context, entry);
  const isDone = isExpired
    ? await conclude(context, entry, read, suspects)
    : await runOneByOne(context, entry, read, suspects);
  await context.audits.settled();
  if (isDone) context.publisher.finish(entry.id);
  await context.publisher.flushed();
}

/** @returns whether every request has its outcome */
async function runOneByOne(
  context: Context,
  entry: Entry<unknown>,
  { requests, isUnknown }: ReadEntry,
  suspects: ReadonlySet<number>,
): Promise<boolean> {
  const { redis, names, clock } = context;
  const marks = names.inProgress(entry.id);
  const stopped = new Set<string>();
  for (const [index, request] of requests) {
    const order = orderOf(index, request);
    if (suspects.has(index)) stopped.add(order);
    if (stopped.has(order)) continue;
    if (clock.now() > entry.deadline) return false;
    await redis.sadd(marks, index);
    await redis.expire(marks, suspectsSeconds);
    const outcome = await run(context, { ...request, deadline: entry.deadline });
    const epoch = context.db.epoch.current;
    await redis.srem(marks, index);
    if (outcome === undefined || context.db.epoch.current !== epoch) {
      // It is not known, or was in a history that is gone: the entry stays, and has another run. Its session's next one must not overtake it.
      stopped.add(order);
      continue;
    }
    answer(context, entry, request, outcome);
    await context.audits.settled();
    await context.publisher.flushed();
  }
  return stopped.size === 0 && !isUnknown;
}

/**
 * What must not overtake each other: a session's messages, of which many are under way at once. An entry does not say
 * which session asked; a user has few. Of everything else a session has one at a time.
 */
function orderOf(index: number, request: CoreRequest): string {
  return request.type === 'MESSAGING_SEND' ? `user ${request.params.user_id}` : `request ${index}`;
}

/** @returns false while it is too early, and if what was found meanwhile is of a history that is gone */
async function conclude(
  context: Context,
  entry: Entry<unknown>,
  { requests }: ReadEntry,
  suspects: ReadonlySet<number>,
): Promise<boolean> {
  const epoch = context.db.epoch.current;
  // A statement that began in time is over by now, unless its COMMIT waits, which no timeout ends.
  if (await hasOlderTransaction(context.db, context.deadlines.latestOf(entry))) return false;
  const recovered = await recover(
    context,
    requests.map(([, request]) => request),
  );
  const outcomes: (Outcome | 'expired' | undefined)[] = [];
  for (const [place, [index, request]] of requests.entries()) {
    const outcome =
      recovered[place] ?? (suspects.has(index) ? await concludeSuspect(context, request) : 'expired');
    outcomes.push(outcome);
  }
  if (context.db.epoch.current !== epoch) return false;
  for (const [place, [, request]] of requests.entries()) {
    const outcome = outcomes[place];
    if (outcome && outcome !== 'expired') answer(context, entry, request, outcome);
    else context.metrics.answered(request.type, outcome);
  }
  await context.redis.del(context.names.inProgress(entry.id));
  return true;
}

async function concludeSuspect(context: Context, request: CoreRequest): Promise<Outcome | undefined> {
  // What stands in its way, if it cannot be given up, came a moment ago, and is told now.
  return (
    (await giveUp(context, request, 'the core that ran it did not end it')) ??
    (await recover(context, [request]))[0]
  );
}

function answer(
  context: Context,
  { node }: Entry<unknown>,
  { ref, type }: CoreRequest,
  outcome: Outcome,
): void {
  context.metrics.answered(type, outcome);
  context.publisher.answer(node, answerOf(context, ref, outcome));
}

async function run(context: Context, request: Due): Promise<Outcome | undefined> {
  const handler = handlers[request.type] as unknown as Handler<RequestType>;
  const [outcome] = await runBatch(context, request.type, handler, [request]);
  return outcome;
}
