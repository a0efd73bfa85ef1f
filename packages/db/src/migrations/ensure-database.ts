import pg from 'pg';

/** Where to create a database from: the usual one, the one that always exists, and one that a host uses. */
const adminDatabases = ['postgres', 'template1', 'defaultdb'];

const noSuchDatabase = '3D000';
/** Somebody else created it meanwhile: one of them, by the moment. */
const databaseExists = ['42P04', '23505'];

/** @returns whether the database was missing and has been created */
export async function ensureDatabase(url: string): Promise<boolean> {
  const missing = await withClient(url, async () => false).catch((error: { code?: string }) => {
    if (error.code === noSuchDatabase) return true;
    throw error;
  });
  if (!missing) return false;

  const name = decodeURIComponent(new URL(url).pathname.slice(1));
  for (const adminDatabase of adminDatabases) {
    try {
      return await withClient(urlOf(url, adminDatabase), (client) => create(client, name));
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

async function withClient<T>(url: string, run: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return await run(client);
  } finally {
    await client.end().catch(() => {});
  }
}

function urlOf(url: string, database: string): string {
  const other = new URL(url);
  other.pathname = `/${database}`;
  return other.href;
}
