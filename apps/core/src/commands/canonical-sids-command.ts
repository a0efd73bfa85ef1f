import { openDb, type Renamed, renameUsers } from '@hooligram/db';
import { ConfigError, type Environment, readConfig, url } from '@hooligram/service';
import { z } from 'zod';
import { coreConfig } from '../config.ts';
import { canonicalSid } from '../verification/numbers.ts';

const config = z.object({
  DATABASE_URL: url(['postgres', 'postgresql']),
  NUMBERS: coreConfig.shape.NUMBERS,
});

const help = `Gives people whose sid was written in another way the one that their telephone has now.

Usage: node canonical-sids.js           says what would be done
       node canonical-sids.js --apply   does it, in one transaction; stop all cores and gateways first

A telephone has one sid: its country code is an assigned one, and unless NUMBERS is "assigned", the national prefix
is left out. 15.4828935 becomes 1.54828935. A person whose new sid is taken becomes one with who has it. Whoever is
renamed asks for a code once: a credential holds for the sid with which it was made.

Environment variables:
  DATABASE_URL  required          Postgres
  NUMBERS       default possible  assigned, possible or valid, as the cores have it`;

const statementTimeoutMs = 3_600_000;

type Output = { out(line: string): void; err(line: string): void };

/** @returns the exit code */
export async function runCanonicalSids(
  args: readonly string[],
  env: Environment,
  { out, err }: Output,
): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    out(help);
    return 0;
  }
  try {
    const apply = args.includes('--apply');
    if (args.length > (apply ? 1 : 0)) throw new Error('the only flag is --apply (see --help)');
    const { DATABASE_URL, NUMBERS } = readConfig(config, env, 'canonical-sids');
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
        canonicalSid: (sid) => canonicalSid(sid, NUMBERS),
        onUser(sid, to, outcome) {
          const kind = outcome?.kind ?? 'nobody';
          counts.set(kind, (counts.get(kind) ?? 0) + 1);
          out(`${sid} ${textOf(to, outcome)}`);
        },
      });
    } finally {
      await db.close();
    }
    for (const line of summary(counts, apply)) out(line);
    return 0;
  } catch (error) {
    const lines = error instanceof ConfigError ? error.faults : [(error as Error).message];
    for (const line of lines) err(line.replace(/^canonical-sids: /, ''));
    return 1;
  }
}

function textOf(to: string | undefined, outcome: Renamed | undefined): string {
  switch (outcome?.kind) {
    case undefined:
      return 'is no number of any country: stays in its groups, and cannot sign in';
    case 'two_direct_messages':
      return `-> ${to} not possible: both have an open direct message with the same person, groups ${outcome.groupIds.join(' and ')}; one of the two has to be left first`;
    case 'merged':
      return `-> ${to} becomes one with who has it, ${outcome.groups} groups`;
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
