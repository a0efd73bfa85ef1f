import type { Db } from '../session/db.ts';
import { callFunction } from '../statements/statement.ts';
import { type Pass, passMsOf } from './pass.ts';

/** A megabyte of the table. */
const blocksMax = 128;

const statement = {
  name: 'upkeep_answers',
  text: `SELECT is_over, ${passMsOf('answers')}, answers, tombstones FROM upkeep_answers($1, $2, $3)`,
};

type AnswersDeleted = Pass & {
  readonly answers: number;
  /** Of sends that were given up. */
  readonly tombstones: number;
};

/**
 * Deletes the next portion of the answers that are older than so many milliseconds. To be run again until it is over, by
 * any core.
 *
 * @param everyMs a pass begins no sooner than this after the one before
 */
export async function upkeepAnswers(
  db: Db,
  { keptMs, everyMs }: { keptMs: number; everyMs: number },
): Promise<AnswersDeleted> {
  return callFunction<AnswersDeleted>(db, statement, [keptMs, everyMs, blocksMax]);
}
