import { beginEpoch } from '@hooligram/db';
import { ConfigError, type Environment, readConfig, url } from '@hooligram/service';
import { z } from 'zod';

const config = z.object({ DATABASE_URL: url(['postgres', 'postgresql']) });

const help = `Says that the database is not the one that it was: what was stored after some moment is gone.

Usage: DATABASE_URL=postgresql://user:password@host:5432/name node after-restore.js

A new epoch of the database begins: ids go on beyond all that were ever given, running cores notice within a second,
and gateways forget what they knew and send their clients away, who come back and are sent what is theirs.

Cores notice by themselves a promoted standby, a recovery to a point in time, a dump restored into another database or
another table, and, while Redis remembers, files copied back. Run this after every other change that takes rows away
or puts older ones in their place, and after a restore for which you are not sure. Once too often costs nothing but the
clients' reconnecting.`;

type Output = { out(line: string): void; err(line: string): void };

/** @returns the exit code */
export async function runAfterRestore(
  args: readonly string[],
  env: Environment,
  output: Output,
): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    output.out(help);
    return 0;
  }
  try {
    if (args.length > 0) throw new Error(`${args[0]} is unknown (see --help)`);
    const { DATABASE_URL } = readConfig(config, env, 'after-restore');
    const epoch = await beginEpoch(DATABASE_URL);
    output.out(`epoch ${epoch} of the database has begun`);
    return 0;
  } catch (error) {
    const lines = error instanceof ConfigError ? error.faults : [(error as Error).message];
    for (const line of lines) output.err(line.replace(/^after-restore: /, ''));
    return 1;
  }
}
