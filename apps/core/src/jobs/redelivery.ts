import { encodeEviction, encodeNudge } from '@hooligram/contract';
import { type LagOf, readLag, setRetriedVersions } from '@hooligram/db';
import { z } from 'zod';
import type { Context } from '../context.ts';
import { done, type Kind } from './kind.ts';
import { retryPauseMs } from './retry-pause.ts';

/** Attempts in a row after which the same was still not acknowledged; another `mark` means progress. */
const tally = z.object({ tries: z.int(), mark: z.string() });
type Tally = z.infer<typeof tally>;

const none: Tally = { tries: 0, mark: '' };

const schema = z.object({
  user_id: z.int().positive(),
  messages: tally.default(none),
  states: tally.default(none),
});
type Redelivery = z.infer<typeof schema>;

/**
 * Delivers again to one person. An attempt is a nudge: the gateways that hold them write their cursors, confirm
 * it, and send again what is owed. Only a confirmed attempt counts, and only if nothing moved since the last one.
 *
 * Messages that are never acknowledged end in an eviction and a dead letter: the client comes back and starts
 * clean. States end quietly, and are counted by themselves: a client that acknowledges messages but no groups,
 * as the mobile client does, makes progress for ever, and is still sent each state a bounded number of times.
 */
export const redelivery = {
  name: 'redelivery',
  schema,
  concurrency: 64,
  async handle(context: Context, data) {
    const { config, db, redis, names, jobMetrics } = context;
    const { user_id } = data;
    const end = await nudge(context, user_id);
    jobMetrics.nudged(end);
    // Nobody is there: the next sign-in, resync or report begins again.
    if (end === 'nobody') return done;
    if (end === 'unconfirmed') return again(context, data, data);

    const [lag] = await readLag(db, [user_id], config.DELIVERY_ACK_DEADLINE_MS);
    if (!lag) return done;
    const messages = count(data.messages, lag.messages);
    const states = count(data.states, lag.states);
    if (messages.tries > config.DELIVERY_ATTEMPTS_MAX) {
      await redis.publish(names.user(user_id), encodeEviction({ user_id }));
      jobMetrics.evicted();
      const groups = lag.messages.groups.slice(0, 10).join(', ');
      return { verdict: 'dead', reason: `nothing acknowledged in groups ${groups}` };
    }
    if (states.tries > config.DELIVERY_ATTEMPTS_MAX) {
      await setRetriedVersions(db, user_id, lag.states.groups);
      jobMetrics.statesGivenUp(lag.states.groups.length);
      // So that gateways read it, and do not report the person for these states any more.
      jobMetrics.nudged(await nudge(context, user_id));
      states.tries = 0;
    }
    if (messages.tries === 0 && states.tries === 0) return done;
    return again(context, data, { user_id, messages, states });
  },
  replayed: ({ user_id }) => ({ data: { user_id }, key: String(user_id) }),
} satisfies Kind<Redelivery>;

function nudge({ config, redis, names, confirmations }: Context, user_id: number) {
  return confirmations.ask(
    (token) =>
      redis.publish(names.user(user_id), encodeNudge({ user_id, token, reply_to: confirmations.channel })),
    config.DELIVERY_CONFIRM_TIMEOUT_MS,
  );
}

function count(before: Tally, { groups, mark }: LagOf<unknown>): Tally {
  if (groups.length === 0) return { ...none };
  return { tries: before.mark === mark ? before.tries + 1 : 1, mark };
}

function again({ config }: Context, before: Redelivery, data: Redelivery) {
  const tries = [data.messages.tries, data.states.tries].filter((count) => count > 0);
  const afterMs = retryPauseMs(Math.min(...(tries.length > 0 ? tries : [1])), config);
  return { verdict: 'again' as const, afterMs, data: { ...before, ...data } };
}
