import { encodeEviction, encodeRedeliveryRequest } from '@hooligram/contract';
import { overdueReport, setRetriedVersions, type UserOverdue } from '@hooligram/db';
import { z } from 'zod';
import type { Context } from '../context.ts';
import { done, type Kind } from './job-type.ts';
import { retryPauseMs } from './retry-delay.ts';

/** Attempts in a row after which the same was still not acknowledged; another `mark` means progress. */
const tally = z.object({ tries: z.int(), mark: z.string() });
type Tally = z.infer<typeof tally>;

const none: Tally = { tries: 0, mark: '' };

/** Of so many states the attempts are counted at a time; when they are given up, the next ones are counted. */
const statesCountedMax = 1_000;

const stateAttempts = z.object({ group_id: z.int(), version: z.int(), tries: z.int() });
type StateAttempts = z.infer<typeof stateAttempts>;

const schema = z.object({
  user_id: z.int().positive(),
  messages: tally.default(none),
  /** Each state by itself: a person's other groups change, and theirs must not begin anew for that. */
  group_states: z.array(stateAttempts).default([]),
});
type Redelivery = z.infer<typeof schema>;

/**
 * Delivers again to one person. An attempt is a nudge: the gateways that hold them write their cursors, confirm
 * it, and send again what is owed. Only a confirmed attempt counts, and only if nothing moved since the last one.
 *
 * Messages that are never acknowledged end in an eviction and a dead letter: the client comes back and starts
 * clean. States end quietly, and each is counted by itself: a client that acknowledges messages but no groups, as
 * the mobile client does, makes progress all the time, and is still sent each state a bounded number of times.
 */
export const redelivery = {
  name: 'redelivery',
  schema,
  concurrency: 64,
  async handle(context: Context, data) {
    const { config, db, redis, names, jobMetrics } = context;
    const { user_id } = data;
    const epoch = db.epoch.current;
    const end = await nudge(context, user_id);
    jobMetrics.nudged(end);
    // Nobody is there: the next sign-in, resync or report begins again.
    if (end === 'nobody') return done;
    if (end === 'unconfirmed') return again(context, data, data);

    const [lag] = await overdueReport(db, [user_id], config.DELIVERY_ACK_DEADLINE_MS);
    if (!lag) return done;
    const messages = count(data.messages, lag.messages);
    const states = countStates(data.group_states, lag.states.groups);
    if (messages.tries > config.DELIVERY_ATTEMPTS_MAX) {
      await redis.publish(names.user(user_id), encodeEviction({ user_id }));
      jobMetrics.evicted();
      const groups = lag.messages.groups.slice(0, 10).join(', ');
      return { outcome: 'dead', reason: `nothing acknowledged in groups ${groups}` };
    }
    const isOver = ({ tries }: StateAttempts) => tries > config.DELIVERY_ATTEMPTS_MAX;
    const over = states.filter(isOver);
    if (over.length > 0) {
      await setRetriedVersions(db, user_id, over, epoch);
      jobMetrics.statesGivenUp(over.length);
    }
    const group_states = states.filter((state) => !isOver(state));
    if (messages.tries > 0 || group_states.length > 0) {
      return again(context, data, { user_id, messages, group_states });
    }
    // So that gateways read what was given up, and do not report the person for it any more.
    if (over.length > 0) jobMetrics.nudged(await nudge(context, user_id));
    return done;
  },
  replayed: ({ user_id }) => ({ data: { user_id }, key: String(user_id) }),
} satisfies Kind<Redelivery>;

function nudge({ config, redis, names, confirmations }: Context, user_id: number) {
  return confirmations.ask(
    (token) =>
      redis.publish(
        names.user(user_id),
        encodeRedeliveryRequest({ user_id, token, reply_to: confirmations.channel }),
      ),
    config.DELIVERY_CONFIRM_TIMEOUT_MS,
  );
}

function count(before: Tally, { groups, mark }: UserOverdue['messages']): Tally {
  if (groups.length === 0) return { ...none };
  return { tries: before.mark === mark ? before.tries + 1 : 1, mark };
}

function countStates(
  before: readonly StateAttempts[],
  lagging: UserOverdue['states']['groups'],
): StateAttempts[] {
  const triesOf = new Map(before.map(({ group_id, version, tries }) => [`${group_id} ${version}`, tries]));
  return lagging.slice(0, statesCountedMax).map(({ group_id, version }) => {
    const tries = (triesOf.get(`${group_id} ${version}`) ?? 0) + 1;
    return { group_id, version, tries };
  });
}

function again({ config }: Context, before: Redelivery, data: Redelivery) {
  const tries = [data.messages, ...data.group_states]
    .map((tally) => tally.tries)
    .filter((count) => count > 0);
  const afterMs = retryPauseMs(Math.min(...(tries.length > 0 ? tries : [1])), config);
  return { outcome: 'again' as const, afterMs, data: { ...before, ...data } };
}
