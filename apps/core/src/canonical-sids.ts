import { openDb, type Renamed, renameUsers } from '@hooligram/db';
import { readConfig, url } from '@hooligram/service';
import { z } from 'zod';
import { createProgram, print, runProgram } from './commands/program.ts';
import { coreConfig } from './config.ts';
import { canonicalSid } from './verification/numbers.ts';

const config = z.object({
  DATABASE_URL: url(['postgres', 'postgresql']),
  NUMBERS: coreConfig.shape.NUMBERS,
});

const statementTimeoutMs = 3_600_000;

const program = createProgram(
  'canonical-sids',
  'Gives users whose sid is written in another way the one that their telephone has now.',
  `Without --apply it prints what it would do.

A telephone has one sid: its country code is an assigned one, and unless NUMBERS is "assigned", the national prefix
is left out. 15.4828935 becomes 1.54828935. A user whose new sid is taken is merged with the user who has it. A user
who is renamed has to request a code once: a credential holds for the sid with which it was made.

Environment variables:
  DATABASE_URL  required          Postgres
  NUMBERS       default possible  assigned, possible or valid, as the cores have it`,
)
  .option('--apply', 'change the database, in one transaction; stop all cores and gateways first')
  .action(({ apply = false }: { apply?: boolean }) => rename(apply));

await runProgram(program, 'canonical-sids', 'the only flag is --apply');

async function rename(apply: boolean): Promise<void> {
  const { DATABASE_URL, NUMBERS } = readConfig(config, process.env, 'canonical-sids');
  const counts = new Map<string, number>();
  const db = openDb({
    url: DATABASE_URL,
    poolSize: 2,
    statementTimeoutMs,
    applicationName: 'canonical-sids',
  });
  try {
    await renameUsers(db, {
      apply,
      // A deleted account has no number, and stays as it is.
      canonicalSid: (sid) => (sid.startsWith('0.') ? sid : canonicalSid(sid, NUMBERS)),
      onUser(sid, to, outcome) {
        const kind = outcome?.kind ?? 'nobody';
        counts.set(kind, (counts.get(kind) ?? 0) + 1);
        print(`${sid} ${textOf(to, outcome)}`);
      },
    });
  } finally {
    await db.close();
  }
  for (const line of summary(counts, apply)) print(line);
}

function textOf(to: string | undefined, outcome: Renamed | undefined): string {
  switch (outcome?.kind) {
    case undefined:
      return 'is no number of any country: stays in its groups, and cannot sign in';
    case 'two_direct_messages':
      return `-> ${to} not possible: both have an open direct message with the same person, groups ${outcome.groupIds.join(' and ')}; one of the two has to be left first`;
    case 'merged':
      return `-> ${to} becomes one with the user who has it, ${outcome.groups} groups`;
    case 'renamed':
      return `-> ${to} renamed, ${outcome.groups} groups`;
  }
}

function summary(counts: ReadonlyMap<string, number>, apply: boolean): string[] {
  const count = (kind: Renamed['kind'] | 'nobody') => counts.get(kind) ?? 0;
  if (counts.size === 0) return ['every sid is written as it should be'];
  return [
    `${count('renamed')} renamed, ${count('merged')} merged, ${count('two_direct_messages')} not possible, ${count('nobody')} that are no number`,
    ...(apply ? [] : ['nothing was changed: this was a trial; --apply does it']),
  ];
}
