import type { Db } from '../session/db.ts';
import { callFunction } from '../statements/statement.ts';
import { type Pass, passMsOf } from './pass.ts';

const groupsMax = 500;
const messagesMax = 2_000;

const statement = {
  name: 'upkeep_messages',
  text: `SELECT is_over, ${passMsOf('messages')}, messages, expired FROM upkeep_messages($1, $2, $3, $4, $5)`,
};

type MessagesDeleted = Pass & {
  readonly messages: number;
  /** Deliveries that will never happen: each message counts for each member who had not acknowledged it. */
  readonly expired: number;
};

type Times = {
  /** What everybody has acknowledged goes after this. */
  readonly retentionMs: number;
  /** What somebody has not acknowledged goes after this; undefined: never. */
  readonly undeliveredMs: number | undefined;
  /** A pass begins no sooner than this after the one before. */
  readonly everyMs: number;
};

/** Deletes the next portion of old messages. To be run again until it is over, by any core. */
export async function upkeepMessages(
  db: Db,
  { retentionMs, undeliveredMs, everyMs }: Times,
  { messages = messagesMax, groups = groupsMax } = {},
): Promise<MessagesDeleted> {
  return callFunction<MessagesDeleted>(db, statement, [
    retentionMs,
    undeliveredMs ?? null,
    everyMs,
    groups,
    messages,
  ]);
}
