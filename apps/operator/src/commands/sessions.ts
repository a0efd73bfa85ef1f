import { findUser } from '@hooligram/db';
import type { Command } from 'commander';
import type { Place } from '../config.ts';
import { withNodes } from '../nodes.ts';
import { table } from '../output.ts';
import { act, Refusal } from '../program.ts';
import { withDatabase } from '../stores/database.ts';
import { shortOf } from './drain.ts';

const userText = 'sid, such as 1.5550100, or user id';

export function addSessions(program: Command): void {
  const sessions = program.command('sessions').description('Where a user is connected; and ending that.');
  act<[string], object>(
    sessions
      .command('list')
      .description('print on which gateways a user is connected')
      .argument('<user>', userText),
    async ({ place, out }, [name]) => {
      const user = await userOf(place, name);
      const replies = await withNodes(place, (nodes) =>
        nodes.ask('WHEREABOUTS', { user_ids: [user.user_id], group_id: null }),
      );
      const on = replies.flatMap(({ node, body }) =>
        body.users.map(({ connections }) => ({ node, connections })),
      );
      out.result({ ...user, on }, [
        `${user.sid} (user ${user.user_id}) ${on.length === 0 ? 'is not connected' : 'is connected:'}`,
        ...(on.length === 0
          ? []
          : table(
              ['NODE', 'CONNECTIONS'],
              on.map((one) => [shortOf(one), one.connections]),
            )),
      ]);
    },
  );
  act<[string], object>(
    sessions
      .command('end')
      .description(
        'close all connections of a user, on every gateway. Their clients connect and sign in again, if they still may.',
      )
      .argument('<user>', userText),
    async ({ place, out }, [name]) => {
      const user = await userOf(place, name);
      const replies = await withNodes(place, (nodes) => nodes.ask('SESSIONS_END', { user_id: user.user_id }));
      const closed = replies.reduce((sum, { body }) => sum + body.closed, 0);
      out.result({ ...user, closed }, [`${closed} connections of ${user.sid} were closed`]);
    },
  );
}

/** @throws Refusal */
async function userOf(place: Place, name: string) {
  const asked = /^\d+$/.test(name) ? Number(name) : name;
  const user = await withDatabase(place, (db) => findUser(db, asked));
  if (!user) throw new Refusal(`there is no user ${name}`);
  return user;
}
