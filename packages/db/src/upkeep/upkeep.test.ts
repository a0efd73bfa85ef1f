import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { age, aSend, type Cores, newGroup, openCores, sendMany, storeOne } from '../../test/test-db.ts';
import { cursorRaise } from '../cursors/cursor-raise.ts';
import { readChangeFacts } from '../groups/change-facts.ts';
import { groupAddMember } from '../groups/group-add-member.ts';
import { groupLeave } from '../groups/group-leave.ts';
import { refuse } from '../groups/refuse.ts';
import { messagingSend } from '../messages/messaging-send.ts';
import { replayPages } from '../messages/replay-page.ts';
import { upkeepAnswers } from './upkeep-answers.ts';
import { upkeepMessages } from './upkeep-messages.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

let cores: Cores;
beforeAll(async () => {
  cores = await openCores();
});
afterEach(async () => {
  await cores.session.query(`TRUNCATE message, request; UPDATE upkeep SET place = NULL, date_begun = NULL`);
});
afterAll(() => cores.close());

const ask = () => ({ request_id: randomUUID(), repeatable: true });

const raise = (group_id: number, user_id: number, delivered_seq: number) =>
  cursorRaise(cores.one, [{ group_id, user_id, delivered_seq, delivered_version: 0 }]);

/** A whole pass. @returns what it deleted */
async function deleteMessages(undeliveredMs?: number): Promise<{ messages: number; expired: number }> {
  const sum = { messages: 0, expired: 0 };
  for (;;) {
    const times = { retentionMs: minuteMs / 2, undeliveredMs, everyMs: 0 };
    const { is_over, messages, expired } = await upkeepMessages(cores.one, times);
    sum.messages += messages;
    sum.expired += expired;
    if (is_over) return sum;
  }
}

/** The pass that is under way, or the last one, began so many minutes ago. */
const begun = (name: 'answers' | 'messages', minutes: number) =>
  cores.session.query(`UPDATE upkeep SET date_begun = now() - $2 * INTERVAL '1 minute' WHERE name = $1`, [
    name,
    minutes,
  ]);

function expectPassOf(minutes: number, { pass_ms }: { pass_ms: number }): void {
  expect(Math.floor(pass_ms / minuteMs)).toBe(minutes);
  if (minutes === 0) expect(pass_ms).toBe(0);
}

async function seqsOf(group_id: number): Promise<number[]> {
  const { rows } = await cores.one.pool.query<{ seq: number }>(
    'SELECT seq FROM message WHERE group_id = $1 ORDER BY seq',
    [group_id],
  );
  return rows.map(({ seq }) => seq);
}

describe('old messages', () => {
  test('go when all members have acknowledged them; one who lacks a message keeps it and all behind it', async () => {
    const { group_id, users } = await newGroup(cores.one, 2);
    const [ada, bob] = users;
    await sendMany(cores.one, group_id, ada, 6);
    await age(cores.one, group_id, { seq: 5 });
    await raise(group_id, ada.user_id, 6);
    await raise(group_id, bob.user_id, 4);
    // Who was added later gets none of them, and keeps none.
    const late = (await newGroup(cores.one, 2)).users[0];
    await groupAddMember(cores.one, { ...ask(), user_id: ada.user_id, group_id, member_sid: late.sid });

    expect(await deleteMessages()).toEqual({ messages: 4, expired: 0 });
    expect(await seqsOf(group_id)).toEqual([5, 6]);
    await raise(group_id, bob.user_id, 6);
    expect(await deleteMessages()).toEqual({ messages: 1, expired: 0 });
    expect(await seqsOf(group_id)).toEqual([6]);
    expect((await storeOne(cores.one, aSend(ada, group_id))).seq).toBe(7);
  });

  test('go when nobody is in their group any more', async () => {
    const { group_id, users } = await newGroup(cores.one, 2);
    await sendMany(cores.one, group_id, users[0], 3);
    await age(cores.one, group_id, { seq: 3 });
    for (const { user_id } of users) await groupLeave(cores.one, { ...ask(), user_id, group_id });
    expect(await deleteMessages()).toEqual({ messages: 3, expired: 0 });
  });

  test('that somebody lacks go after a time of their own, count for each who lacked them, and leave no gap', async () => {
    const { group_id, users } = await newGroup(cores.one, 3);
    await sendMany(cores.one, group_id, users[0], 5);
    await age(cores.one, group_id, { seq: 4 });
    await age(cores.one, group_id, { seq: 3 });
    await raise(group_id, users[0].user_id, 2);
    expect(await deleteMessages(1.5 * minuteMs)).toEqual({ messages: 3, expired: 1 + 3 + 3 });
    expect(await seqsOf(group_id)).toEqual([4, 5]);
    const { rows } = await cores.one.pool.query(
      'SELECT delivered_seq FROM group_member WHERE group_id = $1',
      [group_id],
    );
    expect(rows).toEqual([3, 3, 3].map((delivered_seq) => ({ delivered_seq })));
    expect(await deleteMessages(1.5 * minuteMs)).toEqual({ messages: 0, expired: 0 });
    const [page] = await replayPages(cores.one, [{ group_id, after_seq: 3 }]);
    expect(page).toMatchObject({ last_seq: 5, messages: [{ seq: 4 }, { seq: 5 }] });
  });

  test('go in portions that all cores share, and no pass begins sooner than it is to', async () => {
    const groups = [await newGroup(cores.one, 2), await newGroup(cores.one, 2), await newGroup(cores.one, 2)];
    const fill = async () => {
      for (const { group_id, users } of groups) {
        await sendMany(cores.one, group_id, users[0], 5);
        await age(cores.one, group_id, { seq: 5 });
        for (const { user_id } of users) await raise(group_id, user_id, 5);
      }
    };
    await fill();
    const times = { retentionMs: minuteMs / 2, undeliveredMs: undefined, everyMs: hourMs };
    const portion = (by: 'one' | 'two') => upkeepMessages(cores[by], times, { messages: 4, groups: 2 });

    await cores.session.query('BEGIN; SELECT FROM upkeep FOR UPDATE');
    expect(await portion('one')).toEqual({ is_over: true, pass_ms: 0, messages: 0, expired: 0 });
    await cores.session.query('COMMIT');

    const portions = [];
    for (let is_over = false; !is_over; ) {
      await begun('messages', portions.length === 0 ? 120 : 30);
      const done = await portion(portions.length % 2 === 0 ? 'one' : 'two');
      expectPassOf(portions.length === 0 ? 0 : 30, done);
      portions.push(done.messages);
      is_over = done.is_over;
    }
    expect(Math.max(...portions)).toBe(4);
    expect(portions.reduce((sum, count) => sum + count)).toBe(15);

    const { group_id, users } = groups[0] as (typeof groups)[0];
    await sendMany(cores.one, group_id, users[0], 2);
    await age(cores.one, group_id, { seq: 7 });
    for (const { user_id } of users) await raise(group_id, user_id, 7);
    expect(await portion('two')).toEqual({ is_over: true, pass_ms: 0, messages: 0, expired: 0 });
    expect(await seqsOf(group_id)).toEqual([6, 7]);
  });

  test('that are gone still tell that two users know each other', async () => {
    const { group_id, users } = await newGroup(cores.one, 2);
    const [ada, bob] = users;
    const asked = { user_id: ada.user_id, request_id: randomUUID(), sids: [bob.sid] };
    const strangers = async () => (await readChangeFacts(cores.one, asked)).strangers;
    await sendMany(cores.one, group_id, ada, 2);
    expect(await strangers()).toBe(1);
    await age(cores.one, group_id, { seq: 2 });
    for (const { user_id } of users) await raise(group_id, user_id, 2);
    await deleteMessages();
    expect(await strangers()).toBe(0);
  });
});

describe('old answers', () => {
  const times = { keptMs: minuteMs / 2, everyMs: 0 };
  const ageRequest = (request_id: string) =>
    cores.one.pool.query(
      `UPDATE request SET date_created = date_created - INTERVAL '1 minute' WHERE request_id = $1`,
      [request_id],
    );

  test('go, younger ones and those of nobody stay, and a repetition of what is gone is a request of its own', async () => {
    const { group_id, users } = await newGroup(cores.one, 3);
    const [old, young] = users.slice(1).map(({ user_id }) => ({ ...ask(), user_id, group_id })) as [
      Parameters<typeof groupLeave>[1],
      Parameters<typeof groupLeave>[1],
    ];
    for (const leave of [old, young]) expect(await groupLeave(cores.one, leave)).toMatchObject({ ok: true });
    await ageRequest(old.request_id);
    await cores.one.pool.query(
      `UPDATE request SET date_created = date_created - INTERVAL '1 minute' WHERE user_id = 0`,
    );
    const { rowCount: ofNobody } = await cores.one.pool.query('SELECT FROM request WHERE user_id = 0');
    expect(ofNobody).toBeGreaterThan(0);

    expect(await upkeepAnswers(cores.one, times)).toEqual({
      is_over: true,
      pass_ms: 0,
      answers: 1,
      tombstones: 0,
    });
    expect(await upkeepAnswers(cores.one, times)).toEqual({
      is_over: true,
      pass_ms: 0,
      answers: 0,
      tombstones: 0,
    });
    expect((await cores.one.pool.query('SELECT FROM request WHERE user_id = 0')).rowCount).toBe(ofNobody);
    expect(await groupLeave(cores.two, young)).toMatchObject({ ok: true });
    expect(await groupLeave(cores.two, old)).toMatchObject({ ok: false, reason: 'not_member' });
  });

  test('of sends that were given up go too', async () => {
    const { group_id, users } = await newGroup(cores.one, 2);
    const [old, young] = [aSend(users[0], group_id), aSend(users[0], group_id)];
    const giveUp = ({ sender_id: user_id, request_id }: typeof old) =>
      refuse(cores.one, [{ type: 'send', user_id, request_id }]);
    await giveUp(old);
    await age(cores.one, 0, { seq: Number.MAX_SAFE_INTEGER });
    await giveUp(young);
    expect(await upkeepAnswers(cores.one, times)).toEqual({
      is_over: true,
      pass_ms: 0,
      answers: 0,
      tombstones: 1,
    });
    expect(await messagingSend(cores.one, [old, young])).toMatchObject([{ ok: true }, { reason: 'failed' }]);
  });

  test('are found by a walk over the whole table, portion after portion', async () => {
    const { users } = await newGroup(cores.one, 2);
    await cores.one.pool.query(
      `INSERT INTO request (user_id, request_id, fingerprint, answer, date_created)
       SELECT $1, gen_random_uuid(), repeat('x', 200), '{"ok": true}', clock_timestamp() - INTERVAL '1 minute'
       FROM generate_series(1, 6000)`,
      [users[0].user_id],
    );
    const portions: number[] = [];
    for (let is_over = false; !is_over; ) {
      await begun('answers', portions.length === 0 ? 120 : 30);
      const done = await upkeepAnswers(cores.one, times);
      expectPassOf(portions.length === 0 ? 0 : 30, done);
      portions.push(done.answers);
      is_over = done.is_over;
    }
    expect(portions.length).toBeGreaterThan(1);
    expect(portions.reduce((sum, count) => sum + count)).toBe(6_000);
  });
});
