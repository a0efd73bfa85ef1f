import type { Entry } from '@hooligram/bus';
import type { CoreRequest, Outcome, RequestKind } from '@hooligram/contract';
import type { Context } from './context.ts';
import { putAside } from './dead-requests.ts';
import { recover } from './recovery.ts';
import { answerOf, type Handler, refusal } from './requests/handler.ts';
import { handlers } from './requests/index.ts';
import { runBatch } from './run-batch.ts';

/** How long it is remembered which requests of an entry were begun and not ended. */
const suspectsSeconds = 3_600;

/**
 * Runs an entry that was claimed from a core that died, froze, or could not reach the database.
 *
 * - It runs alone, its requests one after the other, each marked while it runs: whatever was wrong with it harms
 *   nobody else's requests. One that is found marked has ended, or frozen, whoever had it: it is not begun again,
 *   and the others have their run.
 * - After the deadline nothing is begun any more, because the gateway may have written it again. The entry is
 *   left until no statement of an earlier run can be under way; then what was done is told again, what is marked
 *   and was not done gets FAILURE and is put aside, and the rest gets no answer.
 *
 * @param deliveries how often the entry was given to somebody, this time included
 */
export async function runClaimed(
  context: Context,
  entry: Entry<CoreRequest>,
  deliveries: number,
): Promise<void> {
  const { clock, config, log, metrics, redis, names } = context;
  const now = clock.now();
  const isExpired = now > entry.deadline;
  if (isExpired && now < entry.deadline + config.STATEMENT_TIMEOUT_MS) return;
  log.info({ entry: entry.id, requests: entry.requests.length, deliveries, isExpired }, 'entry claimed');
  metrics.entryClaimed();
  const suspects = new Set((await redis.smembers(names.suspects(entry.id))).map(Number));
  const isDone = isExpired
    ? await conclude(context, entry, suspects)
    : await runOneByOne(context, entry, suspects);
  await context.audits.settled();
  if (isDone) context.outbox.finish(entry.id);
  await context.outbox.flushed();
}

/** @returns whether every request has its outcome */
async function runOneByOne(
  context: Context,
  entry: Entry<CoreRequest>,
  suspects: ReadonlySet<number>,
): Promise<boolean> {
  const { redis, names, clock } = context;
  const marks = names.suspects(entry.id);
  for (const [index, request] of entry.requests.entries()) {
    if (suspects.has(index)) continue;
    if (clock.now() > entry.deadline) return false;
    await redis.sadd(marks, index);
    await redis.expire(marks, suspectsSeconds);
    const outcome = await run(context, request, entry.deadline);
    await redis.srem(marks, index);
    // Its session's next one must not overtake it.
    if (outcome === undefined) return false;
    answer(context, entry, request, outcome);
    await context.audits.settled();
    await context.outbox.flushed();
  }
  return suspects.size === 0;
}

async function conclude(
  context: Context,
  entry: Entry<CoreRequest>,
  suspects: ReadonlySet<number>,
): Promise<boolean> {
  const recovered = await recover(context, entry.requests);
  for (const [index, request] of entry.requests.entries()) {
    const outcome = recovered[index];
    if (outcome) answer(context, entry, request, outcome);
    else if (suspects.has(index)) {
      putAside(context, request, 'whoever began it did not end it');
      answer(context, entry, request, refusal('internalError'));
    } else context.metrics.answered(request.kind, 'expired');
  }
  await context.redis.del(context.names.suspects(entry.id));
  return true;
}

function answer(
  context: Context,
  { node }: Entry<CoreRequest>,
  { ref, kind }: CoreRequest,
  outcome: Outcome,
): void {
  context.metrics.answered(kind, outcome);
  context.outbox.answer(node, answerOf(context, ref, outcome));
}

async function run(context: Context, request: CoreRequest, deadline: number): Promise<Outcome | undefined> {
  const handler = handlers[request.kind] as unknown as Handler<RequestKind> | undefined;
  if (!handler) return refusal('internalError');
  const [outcome] = await runBatch(context, request.kind, handler, [request], deadline);
  return outcome;
}
