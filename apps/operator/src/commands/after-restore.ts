import { beginEpoch } from '@hooligram/db';
import type { Command } from 'commander';
import { requireDatabase } from '../config.ts';
import { act } from '../program.ts';

export function addAfterRestore(program: Command): void {
  act(
    program
      .command('after-restore')
      .summary('declare that the database lost data that was stored after some moment')
      .description(
        `Declares that the database lost data that was stored after some moment. A new epoch of the database begins: ids
continue above all that were ever given, running cores notice within a second, and gateways drop what they knew and
disconnect their clients, which connect again and receive what is theirs.

Cores notice by themselves a promoted standby, a recovery to a point in time, a dump restored into another database or
another table, and, while Redis remembers, files copied back. Run this after every other change that removes rows or
replaces them with older ones, and after a restore for which you are not sure. To run it once too often costs only the
clients' reconnects.`,
      ),
    async ({ place, out }) => {
      const epoch = await beginEpoch(requireDatabase(place));
      out.result({ epoch }, [`epoch ${epoch} of the database has begun`]);
    },
  );
}
