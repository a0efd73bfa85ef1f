import { Placement } from '@hooligram/bus';
import { encodeChange, encodeCredentialChanged } from '@hooligram/contract';
import { userDelete } from '@hooligram/db';
import type { Command } from 'commander';
import { act, exitCodes, Refusal } from '../program.ts';
import { withDatabase } from '../stores/database.ts';
import { type Shard, withShards } from '../stores/shards.ts';
import { userOf, userText } from '../stores/user.ts';

type Flags = { readonly apply?: boolean };

export function addUsers(program: Command): void {
  const users = program.command('users').description('The accounts of users.');
  act<[string], Flags>(
    users
      .command('delete')
      .description(
        `delete an account: its sessions end (4401), it leaves all groups, and its number, credential and requests go. What it wrote stays with those who have it, from a sid that is no number. Cannot be undone. Without --apply it only says whom it would delete.`,
      )
      .argument('<user>', userText)
      .option('--apply', 'delete it'),
    ({ place, out }, [name], { apply = false }) =>
      withDatabase(place, async (db) => {
        const user = await userOf(db, name);
        const whom = `${user.sid} (user ${user.user_id})`;
        if (!apply) {
          out.result({ ...user, deleted: false }, [`would delete ${whom}; --apply does it`]);
          return;
        }
        const groups = await withShards(place, async ({ working, away }) => {
          if (away.length > 0)
            throw new Refusal(`a Redis is away: ${away.join('; ')}`, exitCodes.unreachable);
          await requireRightToTell(working, user.user_id);
          return userDelete(db, user.user_id, notify(working, user.user_id));
        }).catch((error: Error) => {
          if (error instanceof Refusal) throw error;
          throw new Refusal(
            `${error.message}; finish it with: hooligram users delete ${user.user_id} --apply`,
          );
        });
        out.result({ ...user, deleted: true, groups }, [`deleted ${whom}, who left ${groups} groups`]);
      }),
  );
}

/** Before anything is deleted. Version 0 ends no session. @throws Refusal */
async function requireRightToTell(shards: readonly Shard[], user_id: number): Promise<void> {
  const nothing = encodeCredentialChanged({ user_id, version: 0, connection_id: '' });
  const tell = ({ redis, names }: Shard) => redis.publish(names.user(user_id), nothing);
  await Promise.all(shards.map(tell)).catch((error: Error) => {
    if (!/NOPERM/.test(error.message)) throw error;
    throw new Refusal('the user of REDIS_URL may not publish to clients: give the one of a core');
  });
}

/**
 * Tells gateways at once, over the Redis on which each user and group lives. What does not reach one is made up for:
 * gateways compare versions of credentials when they come back to Redis, and the walk of the cores over all groups finds
 * members without the newest state.
 */
function notify(shards: readonly Shard[], user_id: number): Parameters<typeof userDelete>[2] {
  const placement = new Placement(shards.length);
  const shardOf = (id: number) => shards[placement.of(id)] as Shard;
  return {
    async onCredentialEnded(version) {
      const { redis, names } = shardOf(user_id);
      await redis.publish(
        names.user(user_id),
        encodeCredentialChanged({ user_id, version, connection_id: '' }),
      );
    },
    async onLeft(state) {
      const { redis, names } = shardOf(state.group_id);
      await redis.publish(names.group(state.group_id), encodeChange(state));
    },
  };
}
