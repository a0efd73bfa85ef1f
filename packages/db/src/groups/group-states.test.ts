import type { GroupState } from '@hooligram/contract';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Cores, newGroup, openCores } from '../../test/test-db.ts';
import type { Db } from '../session/db.ts';
import { readGroupHeads, readGroupStates } from './group-states.ts';

let cores: Cores;
let db: Db;
beforeAll(async () => {
  cores = await openCores();
  db = cores.one;
});
afterAll(() => cores.close());

const unknown = 2 ** 53;

test('states are read in their order for as long as they fit, one at least, and the rest when it is asked for', async () => {
  const ids = [];
  for (const members of [2, 3, 4]) ids.push((await newGroup(db, members)).group_id);
  const asked = [unknown, ...ids, unknown];
  const all = await readGroupStates(db, asked, 1_000_000);
  const states = all.states.map((state) => JSON.parse(state) as GroupState);
  expect(states.map(({ group_id, members }) => [group_id, members.length])).toEqual(
    ids.map((id, at) => [id, at + 2]),
  );
  for (const [at, { members }] of states.entries()) expect(all.states[at]).toContain(JSON.stringify(members));
  const bytesOfTwo = all.states.slice(0, 2).join('').length;
  expect((await readGroupStates(db, asked, bytesOfTwo - 1)).states).toEqual(all.states.slice(0, 1));
  const two = await readGroupStates(db, asked, bytesOfTwo);
  expect(two).toEqual({ states: all.states.slice(0, 2), looked: 3 });
  expect(await readGroupStates(db, asked.slice(3), 1)).toEqual({ states: all.states.slice(2), looked: 1 });
  expect(await readGroupStates(db, [unknown], 1)).toEqual({ states: [], looked: 1 });
  expect(await readGroupStates(db, [], 1)).toEqual({ states: [], looked: 0 });
  expect((await readGroupHeads(db, asked)).sort()).toEqual(ids.map((id) => [id, 1, 0]).sort());
});
