import type { Command } from 'commander';
import { requireDatabase } from '../config.ts';
import { act } from '../program.ts';
import { passOn } from '../role-program.ts';

export function addCanonicalSids(program: Command): void {
  act<[], { apply?: boolean }>(
    program
      .command('canonical-sids')
      .summary('give users whose sid is written in another way the one that their telephone has')
      .description(
        `Gives users whose sid is written in another way the one that their telephone has now. Without --apply it prints what
it would do. The rules about numbers are the core's, so its program does it, with DATABASE_URL and NUMBERS.`,
      )
      .option('--apply', 'change the database, in one transaction; stop all cores and gateways first'),
    ({ place }, _, { apply }) => {
      const env = { ...place.environment, DATABASE_URL: requireDatabase(place) };
      return passOn('core', 'canonical-sids', apply ? ['--apply'] : [], env);
    },
  );
}
