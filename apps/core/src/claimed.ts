import type { Entry } from '@hooligram/bus';
import type { CoreRequest, Outcome, RequestKind } from '@hooligram/contract';
import type { Context } from './context.ts';
import { putAside } from './dead-requests.ts';
import { recover } from './recovery.ts';
import { type Handler, refusal } from './requests/handler.ts';
import { handlers } from './requests/index.ts';
import { runBatch } from './run-batch.ts';

/** How long the mark of a suspect is kept. */
const suspectSeconds = 3_600;

/**
 * Runs an entry that was claimed from a core that died, froze, or could not reach the database.
 *
 * - It runs alone, its requests one after the other, each marked before it begins: whatever was wrong with it
 *   harms nobody else's requests. If this process ends too, the next one finds the mark: that request is put
 *   aside and its client gets FAILURE, and the others have their run.
 * - After the deadline nothing is begun any more, because the gateway may have said so. What the first run did
 *   is told again; the rest gets no answer.
 *
 * @param deliveries how often the entry was given to somebody, this time included
 */
export async function runClaimed(
  context: Context,
  entry: Entry<CoreRequest>,
  deliveries: number,
): Promise<void> {
  context.log.info({ entry: entry.id, requests: entry.requests.length, deliveries }, 'entry claimed');
  context.metrics.entryClaimed();
  let isKnown = true;
  const answer = (requests: readonly CoreRequest[], outcomes: readonly (Outcome | undefined)[]) => {
    for (const [index, { ref }] of requests.entries()) {
      const outcome = outcomes[index];
      if (outcome) context.outbox.answer(entry.node, { ref, ...outcome });
    }
  };
  if (context.clock.now() > entry.deadline) {
    answer(entry.requests, await recover(context, entry.requests));
  } else {
    isKnown = await runOneByOne(context, entry, answer);
  }
  await context.audits.settled();
  if (isKnown) context.outbox.finish(entry.id);
  await context.outbox.flushed();
}

async function runOneByOne(
  context: Context,
  entry: Entry<CoreRequest>,
  answer: (requests: readonly CoreRequest[], outcomes: readonly (Outcome | undefined)[]) => void,
): Promise<boolean> {
  const { redis, names } = context;
  const mark = names.suspect(entry.id);
  const marked = await redis.get(mark);
  const suspect = marked === null ? -1 : Number(marked);
  let isKnown = true;
  for (const [index, request] of entry.requests.entries()) {
    // Those before the suspect have had their run and their answer.
    if (index < suspect) continue;
    if (index === suspect) {
      await putAside(context, request, 'every process that had it ended');
      answer([request], [(await recover(context, [request]))[0] ?? refusal('internalError')]);
      continue;
    }
    await context.audits.settled();
    await context.outbox.flushed();
    await redis.set(mark, index, 'EX', suspectSeconds);
    const outcomes = await runKind(context, entry, [request]);
    answer([request], outcomes);
    isKnown &&= !outcomes.includes(undefined);
  }
  // Whatever became of them, this process survived them all.
  await redis.del(mark);
  return isKnown;
}

async function runKind(
  context: Context,
  { deadline }: Entry<CoreRequest>,
  requests: readonly CoreRequest[],
): Promise<(Outcome | undefined)[]> {
  const kind = (requests[0] as CoreRequest).kind;
  const handler = handlers[kind] as unknown as Handler<RequestKind> | undefined;
  if (!handler) return requests.map(() => refusal('internalError'));
  return runBatch(context, kind, handler, requests, deadline);
}
