import { randomUUID } from 'node:crypto';
import {
  cursorRaise,
  type Db,
  deliveryChecks,
  messageLookup,
  messagingSend,
  overdueReport,
  readCredentials,
  readGroupIds,
  replayGroups,
  replayPages,
  sweepGroups,
  upkeepMessages,
} from '@hooligram/db';
import { type Filled, groupAt, lateEvery, lateMember, memberOf, recentEach, sidOf } from './fill.ts';

/** Longer than anything is late. */
const deadlineMs = 5_000;
const pageMessages = 10;
const batchSends = 50;
const sweepGroupsMax = 500;
const expiredEach = 500;
const dayMs = 86_400_000;
const foreverMs = 36_500 * dayMs;
/** What is stored is at least a day old, but for what is sent here. */
const expiryMs = dayMs / 2;

/** What the core asks of the database, the same of a full one and of an empty one. */
export type Case = {
  readonly name: string;
  readonly about: string;
  /** It uses up what there is of it: no more than so many times in all. */
  readonly timesMax?: number;
  /** @param turn another one each time, the same for both databases */
  ask(db: Db, filled: Filled, turn: number): Promise<unknown>;
};

// What reads comes first: what others leave behind, it would find.
export const cases: readonly Case[] = [
  {
    name: 'newest_page',
    about: `a replay page: the newest ${pageMessages} messages of a group`,
    ask: (db, filled, turn) => page(db, groupAt(filled, turn), filled.lastSeq - recentEach),
  },
  {
    name: 'old_page',
    about: `a replay page: ${pageMessages} messages from anywhere in a group`,
    ask: (db, filled, turn) =>
      page(db, groupAt(filled, turn), spreadOver(filled.lastSeq - recentEach + 1, turn)),
  },
  {
    name: 'sign_in',
    about: "a sign-in: the credential, the user's groups, and where the user stands in them",
    async ask(db, filled, turn) {
      const user = memberOf(filled, groupAt(filled, turn), 0);
      await readCredentials(db, [sidOf(user - filled.firstUser)]);
      const [groups = []] = await readGroupIds(db, [user]);
      const [found = []] = await replayGroups(db, [
        { user_id: user, group_ids: groups.map(({ group_id }) => group_id) },
      ]);
      expect(found.length > 0, 'the groups of a user');
    },
  },
  {
    name: 'delivery_check',
    about: 'a delivery check of a group',
    async ask(db, filled, turn) {
      const [check] = await deliveryChecks(db, [groupAt(filled, turn)], deadlineMs);
      expect((check?.due_seq ?? 0) >= filled.lastSeq, 'what is due of a group');
    },
  },
  {
    name: 'overdue_report',
    about: 'what is overdue for a user',
    ask: (db, filled, turn) =>
      overdueReport(db, [memberOf(filled, groupAt(filled, turn), lateMember)], deadlineMs),
  },
  {
    name: 'message_lookup',
    about: 'where a message is, by its id',
    async ask(db, filled, turn) {
      const place = spreadOver(filled.groups * filled.lastSeq, turn);
      const user_id = memberOf(filled, groupAt(filled, place), 0);
      const [found = []] = await messageLookup(db, [{ user_id, message_ids: [filled.firstMessage + place] }]);
      expect(found.length === 1, 'a message by its id');
    },
  },
  {
    name: 'sweep',
    about: `a page of the sweep: ${sweepGroupsMax} groups`,
    async ask(db, { groups, firstGroup }, turn) {
      const after_group_id = firstGroup - 1 + spreadOver(groups - sweepGroupsMax + 1, turn);
      const { overdue } = await sweepGroups(db, { after_group_id, limit: sweepGroupsMax, deadlineMs });
      expect(overdue.length > 0, 'groups with somebody overdue');
    },
  },
  {
    name: 'upkeep',
    about: 'a portion of the upkeep that finds nothing to delete: 500 groups',
    ask: (db) => upkeepMessages(db, { retentionMs: foreverMs, undeliveredMs: undefined, everyMs: 0 }),
  },
  {
    name: 'send',
    about: 'a message is stored',
    ask: (db, filled, turn) => stored(db, [sendOf(filled, turn)]),
  },
  {
    name: 'sends',
    about: `${batchSends} messages are stored together`,
    ask: (db, filled, turn) =>
      stored(
        db,
        Array.from({ length: batchSends }, (_, place) => sendOf(filled, turn * batchSends + place)),
      ),
  },
  {
    name: 'cursor',
    about: 'a cursor goes on',
    timesMax: 200,
    ask(db, filled, turn) {
      const group_id = filled.firstGroup + ((turn * lateEvery) % filled.groups);
      const user_id = memberOf(filled, group_id, lateMember);
      return cursorRaise(db, [{ group_id, user_id, delivered_seq: filled.lastSeq, delivered_version: 1 }]);
    },
  },
  {
    name: 'expiry',
    about: `a portion of the upkeep that deletes ${expiredEach} messages`,
    timesMax: 9,
    async ask(db) {
      const times = { retentionMs: expiryMs, undeliveredMs: undefined, everyMs: 0 };
      const deletes = () => upkeepMessages(db, times, { messages: expiredEach });
      // A pass that ends finds nothing more, and the next one begins at the first group.
      const { messages } = await deletes();
      expect(messages > 0 || (await deletes()).messages > 0, 'messages to delete');
    },
  },
];

function sendOf(filled: Filled, turn: number) {
  const group_id = groupAt(filled, turn);
  return {
    sender_id: memberOf(filled, group_id, turn % recentEach),
    request_id: randomUUID(),
    repeatable: true,
    group_id,
    content: 'the quick brown fox jumps over a lazy dog',
  };
}

async function stored(db: Db, sends: ReturnType<typeof sendOf>[]): Promise<void> {
  const outcomes = await messagingSend(db, sends);
  expect(
    outcomes.every(({ ok }) => ok),
    'that every message is stored',
  );
}

async function page(db: Db, group_id: number, after_seq: number): Promise<void> {
  const [found] = await replayPages(db, [{ group_id, after_seq, limit: pageMessages }]);
  expect(found?.messages.length === pageMessages, 'a full page');
}

/** A place below `end`, anywhere: another one each turn. */
function spreadOver(end: number, turn: number): number {
  return Math.floor(((turn * 0.618_033_988_75) % 1) * end);
}

/** What was not found would be fast. */
function expect(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(`the database does not have what is measured: ${what}`);
}
