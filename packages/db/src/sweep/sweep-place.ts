import type { Db } from '../session/db.ts';
import { runStatement } from '../statements/statement.ts';

/** How far the walk over all groups has come. */
export type SweepPlace = {
  after_group_id: number;
  /** The dataset of Redis in which the walk began. */
  epoch: string;
  /** Began because Redis had lost its dataset: goes on without waiting for its turn. */
  is_catching_up: boolean;
  /** Grows with each change of the place. */
  revision: number;
};

const columns = 'after_group_id, epoch, is_catching_up, revision';

const readStatement = {
  name: 'sweep_read_place',
  text: `SELECT ${columns} FROM sweep WHERE name = 'groups'`,
};

const beginStatement = {
  name: 'sweep_begin',
  text: `
INSERT INTO sweep (name, after_group_id, epoch, is_catching_up) VALUES ('groups', 0, $1, true)
ON CONFLICT (name) DO UPDATE
SET after_group_id = 0, epoch = $1, is_catching_up = true, revision = sweep.revision + 1
RETURNING ${columns}`,
};

const moveStatement = {
  name: 'sweep_move',
  text: `
UPDATE sweep SET after_group_id = $1, is_catching_up = $2, revision = revision + 1
WHERE name = 'groups' AND revision = $3
RETURNING revision`,
};

/** @returns null before the first walk */
export async function readSweepPlace(db: Db): Promise<SweepPlace | null> {
  const [place] = await runStatement<SweepPlace>(db, readStatement, []);
  return place ?? null;
}

/** Begins a walk from the first group, whatever walk is under way. */
export async function beginSweep(db: Db, epoch: string): Promise<SweepPlace> {
  const [place] = await runStatement<SweepPlace>(db, beginStatement, [epoch]);
  return place as SweepPlace;
}

/** @returns false, and changes nothing, if another run has moved the place since it was read */
export async function moveSweep(db: Db, place: SweepPlace): Promise<boolean> {
  const { after_group_id, is_catching_up, revision } = place;
  const moved = await runStatement(db, moveStatement, [after_group_id, is_catching_up, revision]);
  return moved.length === 1;
}
