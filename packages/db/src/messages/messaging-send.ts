import type { Db } from '../session/db.ts';
import { rerun, runStatement } from '../statements/statement.ts';
import { messagingSendStatement } from './messaging-send.sql.ts';

export type Send = {
  sender_id: number;
  request_id: string;
  /** The client chose the id, and may have used it before. */
  repeatable: boolean;
  group_id: number;
  content: string;
};

export type StoreOutcome =
  | {
      ok: true;
      message_id: number;
      seq: number;
      /** The group's version when the message was stored; of one stored earlier the current one. */
      version: number;
      /** ISO 8601, UTC, milliseconds */
      date_created: string;
    }
  /** `failed`: it was given up, and never happens. */
  | { ok: false; reason: 'id_used' | 'not_member' | 'closed' | 'failed' };

type Row = {
  ord: number;
  status: 'new' | 'stored' | 'id_used' | 'not_member' | 'failed';
  message_id: number;
  seq: number;
  version: number;
  date_created: string;
};

/**
 * Stores messages in the order given, all that can be in one transaction: when this returns they are committed.
 * Run again with the same request_ids it stores nothing and answers the same, after a leave or a closing too.
 *
 * @param deadline milliseconds since the epoch, by the database's clock
 * @returns an outcome for each send, in their order
 * @throws an error of `isDeadlineError` when the deadline passed before all groups were locked: nothing is stored
 */
export async function messagingSend(
  db: Db,
  sends: readonly Send[],
  deadline: number | null = null,
): Promise<StoreOutcome[]> {
  if (sends.length === 0) return [];
  const { distinct, places } = withoutRepeats(sends);
  const values = [
    distinct.map((send) => send.sender_id),
    distinct.map((send) => send.request_id),
    distinct.map((send) => send.repeatable),
    distinct.map((send) => send.group_id),
    distinct.map((send) => send.content),
    deadline,
  ];
  const rows = await rerun(db, () => runStatement<Row>(db, messagingSendStatement, values));

  // A member's send to a closed group has no row.
  const outcomes = distinct.map<StoreOutcome>(() => closed);
  for (const row of rows) outcomes[row.ord - 1] = outcomeOf(row);
  return sends.map((send, at) => {
    const place = places[at] as number;
    const first = distinct[place] as Send;
    const outcome = outcomes[place] as StoreOutcome;
    if (first === send) return outcome;
    if (first.group_id !== send.group_id || first.content !== send.content) {
      return { ok: false, reason: 'id_used' };
    }
    return outcome;
  });
}

const closed: StoreOutcome = { ok: false, reason: 'closed' };

function outcomeOf({ status, message_id, seq, version, date_created }: Row): StoreOutcome {
  return status === 'new' || status === 'stored'
    ? { ok: true, message_id, seq, version, date_created }
    : { ok: false, reason: status };
}

/** A request_id that comes twice in one batch: the statement sees the first, and `places` leads the others there. */
function withoutRepeats(sends: readonly Send[]): { distinct: Send[]; places: number[] } {
  if (sends.length === 1) return { distinct: [...sends], places: [0] };
  const distinct: Send[] = [];
  const placeByKey = new Map<string, number>();
  const places = sends.map((send) => {
    const key = `${send.sender_id} ${send.request_id.toLowerCase()}`;
    const known = placeByKey.get(key);
    if (known !== undefined) return known;
    placeByKey.set(key, distinct.length);
    return distinct.push(send) - 1;
  });
  return { distinct, places };
}
