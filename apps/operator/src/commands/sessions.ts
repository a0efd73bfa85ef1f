import type { Command } from 'commander';
import { withNodes } from '../nodes.ts';
import { table } from '../output.ts';
import { act } from '../program.ts';
import { withDatabase } from '../stores/database.ts';
import { userOf, userText } from '../stores/user.ts';
import { shortOf } from './drain.ts';

export function addSessions(program: Command): void {
  const sessions = program.command('sessions').description('Where a user is connected; and ending that.');
  act<[string], object>(
    sessions
      .command('list')
      .description('print on which gateways a user is connected')
      .argument('<user>', userText),
    async ({ place, out }, [name]) => {
      const user = await withDatabase(place, (db) => userOf(db, name));
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
      const user = await withDatabase(place, (db) => userOf(db, name));
      const replies = await withNodes(place, (nodes) => nodes.ask('SESSIONS_END', { user_id: user.user_id }));
      const closed = replies.reduce((sum, { body }) => sum + body.closed, 0);
      out.result({ ...user, closed }, [`${closed} connections of ${user.sid} were closed`]);
    },
  );
}
