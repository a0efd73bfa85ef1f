import type { Queues } from '@hooligram/bus/queues';
import { type TracedMessage, traceMessage } from '@hooligram/db';
import { type Command, InvalidArgumentError } from 'commander';
import { type Nodes, withNodes } from '../nodes.ts';
import { ago } from '../output.ts';
import { act, Refusal } from '../program.ts';
import { withDatabase } from '../stores/database.ts';
import { withShardQueues } from '../stores/shards.ts';
import { shortOf } from './drain.ts';

/** Of so many who lack it is found out where they are. */
const lackingMax = 200;

type Member = TracedMessage['members'][number];

export function addTrace(program: Command): void {
  act<[number], object>(
    program
      .command('trace')
      .summary('say who has a message, and who lacks it: since when, on which node, which attempt is next')
      .description(
        `Says when a message was stored, who of its group has acknowledged it and who has not, on which gateways they are, and
when it is sent to them again. Users who are on no gateway get it when they sign in. Who has left the group is not listed.`,
      )
      .argument('<message_id>', 'as MESSAGING_SEND_SUCCESS and deliveries name it', messageIdOf),
    async ({ place, out }, [messageId]) => {
      const message = await withDatabase(place, (db) => traceMessage(db, messageId));
      if (!message) {
        throw new Refusal(
          `there is no message ${messageId}: it was not stored, or is of a history that is gone`,
        );
      }
      const lacking = message.members.filter(({ delivered_seq }) => delivered_seq < message.seq);
      const lacks = await withShardQueues(place, (shards) =>
        withNodes(place, (nodes) =>
          locate(
            nodes,
            shards.map(({ queues }) => queues),
            message,
            lacking.slice(0, lackingMax),
          ),
        ),
      );
      const { members, ...stored } = message;
      const has = members.length - lacking.length;
      out.result({ ...stored, members: members.length, has, lacks_in_all: lacking.length, lacks }, [
        `message ${messageId}: the ${message.seq}th of group ${message.group_id}, from ${message.sender_sid ?? 'nobody'}`,
        `stored ${message.stored_at.toISOString()}, ${ago(message.stored_at)} ago`,
        `${has} of ${members.length} members have acknowledged it`,
        ...lacks.map((one) => lineOf(one, message)),
        ...(lacking.length > lacks.length ? [`and ${lacking.length - lacks.length} more lack it`] : []),
      ]);
    },
  );
}

type Lacking = Awaited<ReturnType<typeof locate>>[number];

async function locate(
  nodes: Nodes,
  queues: readonly Queues[],
  { group_id, stored_at }: TracedMessage,
  lacking: readonly Member[],
) {
  if (lacking.length === 0) return [];
  const user_ids = lacking.map(({ user_id }) => user_id);
  const replies = await nodes.ask('WHEREABOUTS', { user_ids, group_id });
  return Promise.all(
    lacking.map(async ({ user_id, sid, delivered_seq }) => ({
      user_id,
      sid,
      delivered_seq,
      since: stored_at,
      on: replies.flatMap(({ node, body }) =>
        body.users
          .filter((found) => found.user_id === user_id)
          .map((found) => ({ node, connections: found.connections, delivered_seq: found.delivered_seq })),
      ),
      next: await nextAttempt(queues, user_id),
    })),
  );
}

/** The redelivery that stands for a user; null if none does. */
async function nextAttempt(queues: readonly Queues[], userId: number) {
  const found = await Promise.all(queues.map((one) => one.find('redelivery', String(userId))));
  const job = found.find(Boolean);
  if (!job) return null;
  const { messages } = job.data as { messages?: { tries?: unknown } };
  return { attempt: Number(messages?.tries ?? 0) + 1, due_at: job.dueAt ?? null };
}

function lineOf({ sid, since, on, next }: Lacking, { seq }: TracedMessage): string {
  const where = on.map(({ node, delivered_seq }) =>
    delivered_seq !== null && delivered_seq >= seq
      ? `acknowledged on ${shortOf({ node })}, which has not written that yet`
      : `on ${shortOf({ node })}`,
  );
  const place = where.length > 0 ? where.join(', ') : 'not connected, gets it at the next sign-in';
  const attempt = next
    ? `; attempt ${next.attempt} ${next.due_at ? `at ${next.due_at.toISOString()}` : 'is due'}`
    : '';
  return `lacking for ${ago(since)}: ${sid}, ${place}${attempt}`;
}

function messageIdOf(text: string): number {
  if (/^[1-9]\d{0,15}$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new InvalidArgumentError('It must be a whole number of at least 1.');
}
