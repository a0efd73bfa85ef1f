import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Cores, newGroup, openCores } from '../../test/test-db.ts';
import { fingerprint } from './fingerprint.ts';
import { groupAddMember } from './group-add-member.ts';
import { groupLeave } from './group-leave.ts';
import { readChange } from './read-state.ts';

let cores: Cores;
beforeAll(async () => {
  cores = await openCores();
});
afterAll(() => cores.close());

const ask = () => ({ request_id: randomUUID(), repeatable: true });

/** How many blocks a change of a group looks at before it is committed. */
async function blocksOf(change: string, values: unknown[]): Promise<number> {
  const { rows } = await cores.one.pool.query<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>(
    `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM ${change}`,
    values,
  );
  const plan = rows[0]?.['QUERY PLAN'][0].Plan ?? {};
  return (plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0);
}

test('a group of more than a thousand new users is created whole, and every change of it answers with all members', async () => {
  const { group_id, users } = await newGroup(cores.one, 1_200);
  const { user_id } = users[0];
  const other = (await newGroup(cores.one, 2)).users[0];
  const add = { ...ask(), user_id, group_id, member_sid: other.sid };
  const added = await groupAddMember(cores.one, add);
  expect(added.ok && added.state && 'members' in added.state && added.state.members.length).toBe(1_201);
  const left = await groupLeave(cores.one, { ...ask(), user_id, group_id });
  expect(left.ok && 'members' in left.state && left.state.members.length).toBe(1_200);
  // A second run publishes again, with the state as it is now.
  expect(await groupAddMember(cores.one, add)).toMatchObject({ ok: true, state: { version: 3 } });
});

test('of a group with more members than are ever published, no member is read after a change', async () => {
  const large = await newGroup(cores.one, 600);
  const leave = { ...ask(), user_id: large.users[0].user_id, group_id: large.group_id };
  const version = { group_id: large.group_id, version: 2, version_seq: 0 };
  expect(await groupLeave(cores.one, leave, null, 598)).toEqual({ ok: true, state: version });
  expect(await groupLeave(cores.one, leave, null, 599)).toMatchObject({
    state: { ...version, closed: false },
  });
  // As for a gateway of an earlier release.
  expect(await groupLeave(cores.one, leave, null, Number.MAX_SAFE_INTEGER)).toMatchObject({
    state: { ...version, closed: false },
  });

  const { group_id } = await newGroup(cores.one, 40);
  expect(await readChange(cores.one, group_id, 39)).toEqual({ group_id, version: 1, version_seq: 0 });
  const whole = await readChange(cores.one, group_id, 40);
  expect('members' in whole && whole.members.length).toBe(40);
});

test('while it holds its row, a change of a group with twice as many members looks at as much', async () => {
  // What the server does of its own accord meanwhile (vacuum, new statistics, a page that splits) only adds to what is
  // counted, so the least of several changes is what one needs.
  const measured = async (members: number) => {
    const { group_id, users } = await newGroup(cores.one, members);
    const [{ user_id }] = users;
    const leave: number[] = [];
    const add: number[] = [];
    for (const { user_id: leaver } of users.slice(1, 6)) {
      const { sid } = (await newGroup(cores.one, 2)).users[0];
      leave.push(
        await blocksOf('group_leave($1, $2, true, $3, $4)', [
          leaver,
          randomUUID(),
          fingerprint('leave', group_id),
          group_id,
        ]),
      );
      add.push(
        await blocksOf('group_add_member($1, $2, true, $3, $4, $5)', [
          user_id,
          randomUUID(),
          fingerprint('add', group_id, sid),
          group_id,
          sid,
        ]),
      );
    }
    return { leave: Math.min(...leave), add: Math.min(...add) };
  };
  const once = await measured(600);
  const twice = await measured(1_200);
  expect(twice.leave).toBeLessThan(1.3 * once.leave);
  expect(twice.add).toBeLessThan(1.3 * once.add);
});
