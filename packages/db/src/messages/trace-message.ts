import type { Db } from '../session/db.ts';
import { runStatement } from '../statements/statement.ts';

export type TracedMessage = {
  readonly message_id: number;
  readonly group_id: number;
  readonly seq: number;
  readonly sender_sid: string | null;
  readonly stored_at: Date;
  /** Everybody who was and is to get it: who left since is not among them. */
  readonly members: readonly {
    readonly user_id: number;
    readonly sid: string;
    /** As far as it is written; gateways may know more. */
    readonly delivered_seq: number;
  }[];
};

/** A tombstone, in group 0, is no message. */
const messageStatement = {
  name: 'trace_message',
  text: `
SELECT m.id AS message_id, m.group_id, m.seq, u.sid AS sender_sid, m.date_created AS stored_at
FROM message m LEFT JOIN "user" u ON u.id = m.sender_id
WHERE m.id = $1 AND m.group_id > 0`,
};

const membersStatement = {
  name: 'trace_members',
  text: `
SELECT gm.user_id, u.sid, gm.delivered_seq
FROM group_member gm JOIN "user" u ON u.id = gm.user_id
WHERE gm.group_id = $1 AND gm.joined_seq < $2
ORDER BY gm.user_id`,
};

/** Where a message is, and who of its group has acknowledged it. @returns undefined if there is no such message */
export async function traceMessage(db: Db, messageId: number): Promise<TracedMessage | undefined> {
  type Row = Omit<TracedMessage, 'members'>;
  const [message] = await runStatement<Row>(db, messageStatement, [messageId]);
  if (!message) return undefined;
  const members = await runStatement<TracedMessage['members'][number]>(db, membersStatement, [
    message.group_id,
    message.seq,
  ]);
  return { ...message, members };
}
