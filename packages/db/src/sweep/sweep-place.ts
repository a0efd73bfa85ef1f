import type { Db } from '../session/db.ts';

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

const name = 'groups';

/** @returns null before the first walk */
export async function readSweepPlace({ prisma }: Db): Promise<SweepPlace | null> {
  return placeOf(await prisma.sweep.findUnique({ where: { name } }));
}

/** Begins a walk from the first group, whatever walk is under way. */
export async function beginSweep({ prisma }: Db, epoch: string): Promise<SweepPlace> {
  const start = { afterGroupId: 0n, epoch, isCatchingUp: true };
  const begun = await prisma.sweep.upsert({
    where: { name },
    create: { name, ...start },
    update: { ...start, revision: { increment: 1 } },
  });
  return placeOf(begun) as SweepPlace;
}

/** @returns false, and changes nothing, if another run has moved the place since it was read */
export async function moveSweep({ prisma }: Db, place: SweepPlace): Promise<boolean> {
  const { count } = await prisma.sweep.updateMany({
    where: { name, revision: place.revision },
    data: {
      afterGroupId: place.after_group_id,
      isCatchingUp: place.is_catching_up,
      revision: { increment: 1 },
    },
  });
  return count === 1;
}

type Row = { afterGroupId: bigint; epoch: string; isCatchingUp: boolean; revision: bigint };

function placeOf(row: Row | null): SweepPlace | null {
  return (
    row && {
      after_group_id: Number(row.afterGroupId),
      epoch: row.epoch,
      is_catching_up: row.isCatchingUp,
      revision: Number(row.revision),
    }
  );
}
