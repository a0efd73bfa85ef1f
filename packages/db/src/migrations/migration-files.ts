import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type Migration = { readonly name: string; readonly script: string };

/** From src/ and from dist/ alike. */
export const defaultMigrationsDir = fileURLToPath(new URL('../../../../prisma/migrations', import.meta.url));

/** A folder of migrations in Prisma's layout: `<timestamp>_<name>/migration.sql`, in the order of the names. */
export function listMigrations(dir: string): Migration[] {
  if (!existsSync(dir)) throw new Error(`no migrations folder at ${dir}`);
  const lockFile = join(dir, 'migration_lock.toml');
  const provider = existsSync(lockFile)
    ? /^provider\s*=\s*"([^"]*)"/m.exec(readFileSync(lockFile, 'utf8'))?.[1]
    : 'postgresql';
  if (provider !== 'postgresql') throw new Error(`${lockFile} names ${provider}, not postgresql`);

  return readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .map((name) => {
      const file = join(dir, name, 'migration.sql');
      if (!existsSync(file)) throw new Error(`migration ${name} has no migration.sql`);
      return { name, script: readFileSync(file, 'utf8') };
    });
}
