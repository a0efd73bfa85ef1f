import pg from 'pg';
import { withClient } from '../session/with-connection.ts';

/** Where to create a database from: the usual one, the one that always exists, and one that a host uses. */
const adminDatabases = ['postgres', 'template1', 'defaultdb'];

const noSuchDatabase = '3D000';
/** Another process created it meanwhile: one of the two, depending on the moment. */
const databaseExists = ['42P04', '23505'];

/** @returns whether the database was missing and has been created */
export async function ensureDatabase(url: string): Promise<boolean> {
  const missing = await withClient({ connectionString: url }, async () => false).catch(
    (error: { code?: string }) => {
      if (error.code === noSuchDatabase) return true;
      throw error;
    },
  );
  if (!missing) return false;

  const name = decodeURIComponent(new URL(url).pathname.slice(1));
  for (const adminDatabase of adminDatabases) {
    try {
      return await withClient({ connectionString: urlOf(url, adminDatabase) }, (client) =>
        create(client, name),
      );
    } catch (error) {
      if ((error as { code?: string }).code !== noSuchDatabase) throw error;
    }
  }
  throw new Error(`the database ${name} does not exist, and there is none to create it from`);
}

async function create(client: pg.Client, name: string): Promise<boolean> {
  try {
    await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
    return true;
  } catch (error) {
    if (databaseExists.includes(String((error as { code?: string }).code))) return false;
    throw error;
  }
}

function urlOf(url: string, database: string): string {
  const other = new URL(url);
  other.pathname = `/${database}`;
  return other.href;
}
