import type { DatabaseSnapshot, StoredMessage } from '../src/checker/database-snapshot.ts';
import type { Answer, ChangeRecord, History, SendRecord } from '../src/checker/history.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type MutableSnapshot = { [K in keyof DatabaseSnapshot]: Mutable<DatabaseSnapshot[K][number]>[] };

/** A history and a database for tests, made by hand to agree; each test breaks them in one way. */
export type Fixture = { readonly history: History; readonly snapshot: MutableSnapshot };

export const ada = '1.5550100';
export const bob = '1.5550101';
export const cem = '1.5550102';
const group = 7;

/** Connections, by number: 0 of Ada, 1 and 3 of Bob, 2 of Cem, 4 of Ada's second device. */
const owners = [ada, bob, cem, bob, ada];

/**
 * Ada creates the group with Bob and Cem. Messages 101 (seq 1) and 102 (seq 2); Cem leaves; 103 (seq 3), which goes
 * out twice because its connection broke; Cem is added again; 104 (seq 4). A request of Bob is refused as busy and given up.
 */
export function fixture(): Fixture {
  const records: Fixture = {
    history: {
      connections: owners.map((sid, i) => ({
        sid,
        device: `${sid}#${i === 4 ? 2 : 1}`,
        signInAt: i === 3 ? 50 : 0,
      })),
      sends: [],
      changes: [],
      deliveries: [],
      losses: [],
    },
    snapshot: { messages: [], memberships: [], groups: [{ groupId: group, name: 'hikes' }] },
  };
  const { history, snapshot } = records;
  history.changes.push({
    ...request(ada, 'create', 0, 1, { ok: true, at: 2, groupId: group }),
    type: 'create',
    name: 'hikes',
    members: [ada, bob, cem],
  });
  for (const sid of [ada, bob, cem]) join(snapshot, sid, 0);
  storeMessage(records, { messageId: 101, seq: 1, at: 10, readers: [0, 1, 2] });
  storeMessage(records, { messageId: 102, seq: 2, at: 20, readers: [0, 1, 2] });
  history.changes.push({
    ...request(cem, 'leave', 2, 30, { ok: true, at: 31 }),
    type: 'leave',
    groupId: group,
  });
  snapshot.memberships.push({ groupId: group, sid: cem, change: 'left', seq: 2 });
  storeMessage(records, { messageId: 103, seq: 3, at: 40, readers: [0, 1, 4] });
  repeated(history.sends[2] as SendRecord);
  history.changes.push({
    ...request(ada, 'add', 0, 60, { ok: true, at: 61 }),
    type: 'add',
    groupId: group,
    member: cem,
  });
  join(snapshot, cem, 3);
  storeMessage(records, { messageId: 104, seq: 4, at: 70, readers: [0, 3, 2] });
  const busy: Answer = { ok: false, at: 81, errors: ['server busy'] };
  history.sends.push({
    ...request(bob, 'r-given-up', 3, 80, busy),
    groupId: group,
    content: 'given up',
    isOnce: false,
  });
  return records;
}

type MessageOptions = { messageId: number; seq: number; at: number; readers: readonly number[] };

/** Ada sends a message, it is stored, and reaches these connections. */
export function storeMessage(
  { history, snapshot }: Fixture,
  { messageId, seq, at, readers }: MessageOptions,
): void {
  const content = `words ${messageId}`;
  const id = `r-${messageId}`;
  history.sends.push({
    ...request(ada, id, 0, at, { ok: true, at: at + 1, messageId }),
    groupId: group,
    content,
    isOnce: false,
  });
  snapshot.messages.push({ messageId, groupId: group, seq, senderSid: ada, requestId: id, content });
  for (const connection of readers)
    deliver(history, snapshot.messages.at(-1) as StoredMessage, connection, at + 2);
}

export function deliver(
  { deliveries }: History,
  { messageId, groupId, senderSid, content }: StoredMessage,
  connection: number,
  at: number,
): void {
  deliveries.push({ connection, at, messageId, groupId, senderSid, content, isKept: true });
}

/** The first attempt had no answer; the second, on another connection, has. */
function repeated({ attempts }: SendRecord): void {
  const [first] = attempts;
  if (!first?.answer) return;
  attempts.push({ connection: 4, at: first.at + 5, answer: first.answer });
  delete first.answer;
}

function join({ memberships }: MutableSnapshot, sid: string, seq: number): void {
  memberships.push({ groupId: group, sid, change: 'joined', seq });
}

function request(sid: string, id: string, connection: number, at: number, answer: Answer) {
  const attempts: ChangeRecord['attempts'] = [{ connection, at, answer }];
  return { sid, id, attempts };
}
