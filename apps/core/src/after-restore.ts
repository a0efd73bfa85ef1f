import { beginEpoch } from '@hooligram/db';
import { readConfig, url } from '@hooligram/service';
import { z } from 'zod';
import { createProgram, print, runProgram } from './commands/program.ts';

const config = z.object({ DATABASE_URL: url(['postgres', 'postgresql']) });

const program = createProgram(
  'after-restore',
  'Declares that the database lost data that was stored after some moment.',
  `A new epoch of the database begins: ids continue above all that were ever given, running cores notice within a second,
and gateways drop what they knew and disconnect their clients, which connect again and receive what is theirs.

Cores notice by themselves a promoted standby, a recovery to a point in time, a dump restored into another database or
another table, and, while Redis remembers, files copied back. Run this after every other change that removes rows or
replaces them with older ones, and after a restore for which you are not sure. To run it once too often costs only the
clients' reconnects.

Environment variables:
  DATABASE_URL  required  Postgres: postgresql://user:password@host:5432/name`,
).action(async () => {
  const { DATABASE_URL } = readConfig(config, process.env, 'after-restore');
  print(`epoch ${await beginEpoch(DATABASE_URL)} of the database has begun`);
});

await runProgram(program, 'after-restore', 'there are no arguments');
