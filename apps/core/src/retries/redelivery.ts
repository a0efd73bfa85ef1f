import { encodeEviction, encodeRedeliveryRequest } from '@hooligram/contract';
import { overdueReport, setRetriedVersions, type UserOverdue } from '@hooligram/db';
import { z } from 'zod';
import type { JobContext, JobType } from './job-context.ts';
import type { RedeliveryReply } from './redelivery-replies.ts';
import { retryDelayMs } from './retry-delay.ts';

/** Attempts in a row after which the same was still not acknowledged; another `mark` means progress. */
const messageAttempts = z.object({ tries: z.int(), mark: z.string() });
type MessageAttempts = z.infer<typeof messageAttempts>;

const noAttempts: MessageAttempts = { tries: 0, mark: '' };

/** The attempts of so many states are counted at a time; when those are given up, the next ones are counted. */
const statesCountedMax = 1_000;

const stateAttempts = z.object({ group_id: z.int(), version: z.int(), tries: z.int() });
type StateAttempts = z.infer<typeof stateAttempts>;

const schema = z.object({
  user_id: z.int().positive(),
  messages: messageAttempts.default(noAttempts),
  /** Each state by itself: a change of another group of the user must not reset this one's attempts. */
  group_states: z.array(stateAttempts).default([]),
});
type Redelivery = z.infer<typeof schema>;

/**
 * Delivers again to one user. An attempt is a request to the gateways that hold the user: they write the user's
 * cursors, reply, and send again what is owed. Only an attempt with a reply counts, and only if the user has
 * acknowledged nothing since the last one.
 *
 * Messages that are never acknowledged end in an eviction and a dead letter: the client connects again and starts
 * clean. States end quietly, and each is counted by itself: a client that acknowledges messages but no groups, as
 * the mobile client does, makes progress all the time, and is still sent each state a bounded number of times.
 */
export const redeliveryJob: JobType<Redelivery> = {
  name: 'redelivery',
  schema,
  concurrency: 64,
  async handle(context, data, ageMs) {
    const { config, db } = context;
    const { user_id } = data;
    const epoch = db.epoch.current;
    const reply = await requestRedelivery(context, user_id);
    // The next sign-in, resync or report of the user begins again.
    if (reply === 'nobody') return { outcome: 'done' };
    if (reply === 'unanswered') return again(context, data);

    const [overdue] = await overdueReport(db, [user_id], config.DELIVERY_ACK_DEADLINE_MS);
    const owed = overdue && owedIn(overdue);
    if (!owed) return { outcome: 'done' };
    context.jobMetrics.redeliveryAttempts.inc({ owed });
    context.jobMetrics.overdueSeconds.observe(ageMs / 1_000);
    const messages = countMessages(data.messages, overdue.messages);
    const states = countStates(data.group_states, overdue.states.groups);
    const tries = owed === 'messages' ? [messages.tries] : states.map((one) => one.tries);
    context.jobMetrics.redeliveryTries.observe({ owed }, Math.max(...tries));
    if (messages.tries > config.DELIVERY_ATTEMPTS_MAX) return evict(context, user_id, overdue);

    const group_states = states.filter(({ tries }) => tries <= config.DELIVERY_ATTEMPTS_MAX);
    const givenUp = states.filter(({ tries }) => tries > config.DELIVERY_ATTEMPTS_MAX);
    if (givenUp.length > 0) {
      await setRetriedVersions(db, user_id, givenUp, epoch);
      context.jobMetrics.statesGivenUp.inc(givenUp.length);
    }
    if (messages.tries > 0 || group_states.length > 0) {
      return again(context, { user_id, messages, group_states });
    }
    // Gateways read then which states were given up, and do not report the user for them again.
    if (givenUp.length > 0) await requestRedelivery(context, user_id);
    return { outcome: 'done' };
  },
};

function owedIn({ messages, states }: UserOverdue): 'messages' | 'states' | undefined {
  if (messages.groups.length > 0) return 'messages';
  return states.groups.length > 0 ? 'states' : undefined;
}

async function requestRedelivery(context: JobContext, user_id: number): Promise<RedeliveryReply> {
  const { config, shards, names, ownChannel, redeliveryReplies, jobMetrics } = context;
  const redis = shards.commandOf(user_id);
  const outcome = await redeliveryReplies.request(
    (token) =>
      redis.publish(names.user(user_id), encodeRedeliveryRequest({ user_id, token, reply_to: ownChannel })),
    config.DELIVERY_CONFIRM_TIMEOUT_MS,
  );
  jobMetrics.redeliveryRequests.inc({ outcome });
  return outcome;
}

async function evict({ shards, names, jobMetrics }: JobContext, user_id: number, { messages }: UserOverdue) {
  await shards.commandOf(user_id).publish(names.user(user_id), encodeEviction({ user_id }));
  jobMetrics.evictions.inc();
  const groups = messages.groups.slice(0, 10).join(', ');
  return { outcome: 'dead' as const, reason: `nothing acknowledged in groups ${groups}` };
}

function countMessages(before: MessageAttempts, { groups, mark }: UserOverdue['messages']): MessageAttempts {
  if (groups.length === 0) return noAttempts;
  return { tries: before.mark === mark ? before.tries + 1 : 1, mark };
}

function countStates(
  before: readonly StateAttempts[],
  overdue: UserOverdue['states']['groups'],
): StateAttempts[] {
  const triesOf = new Map(before.map(({ group_id, version, tries }) => [`${group_id} ${version}`, tries]));
  return overdue.slice(0, statesCountedMax).map(({ group_id, version }) => {
    const tries = (triesOf.get(`${group_id} ${version}`) ?? 0) + 1;
    return { group_id, version, tries };
  });
}

/** The job runs again after the delay of the message or state that was tried least often. */
function again({ config }: JobContext, data: Redelivery) {
  const tries = [data.messages, ...data.group_states]
    .map((attempts) => attempts.tries)
    .filter((count) => count > 0);
  const afterMs = retryDelayMs(Math.min(...(tries.length > 0 ? tries : [1])), config);
  return { outcome: 'again' as const, afterMs, data };
}
