import { onPostgres, type Store, startPostgres, startRedis } from '@hooligram/local';
import { socketioTables } from '../peers/socketio-tables.sql.ts';
import { startPeer } from './peer-process.ts';
import type { Target } from './target.ts';

const nodes = 2;
const earlierDatabases = "SELECT datname FROM pg_database WHERE starts_with(datname, 'socketio_')";

/** Two Socket.IO nodes with the Redis adapter, on stores of the same kind and settings as ours. */
export const socketio: Target = {
  about: 'two Socket.IO nodes with the Redis adapter and Postgres',
  async start({ port, dataDir }, _log, signal) {
    // Beside the data folder, which belongs to a stack alone.
    const dir = `${dataDir}-socketio`;
    const options = { dataDir: dir, logDir: dir, restart: false, signal };
    const stops: (() => Promise<void>)[] = [];
    const stop = async () => {
      for (const close of stops.reverse()) await close();
    };
    try {
      const keep = (store: Store) => {
        stops.push(store.stop);
        return store;
      };
      const postgres = keep(await startPostgres({ ...options, port: port + 1_200 }));
      const redis = keep(await startRedis({ ...options, port: port + 1_201 }));
      const databaseUrl = await freshDatabase(postgres.url);
      const pids: number[] = [];
      const urls: string[] = [];
      for (let node = 1; node <= nodes; node += 1) {
        const peer = await startPeer('socketio-node', [port + node, databaseUrl, redis.url]);
        stops.push(peer.stop);
        pids.push(peer.pid);
        urls.push(`ws://127.0.0.1:${port + node}/socket.io/?EIO=4&transport=websocket`);
      }
      const roles = { node: pids, redis: [redis.pid as number], postgres: [postgres.pid as number] };
      const stores = { databaseUrl, redisUrls: [redis.url], metricsUrls: [] };
      return { codec: 'socketio', urls, code: '000000', roles: () => roles, stores: () => stores, stop };
    } catch (error) {
      await stop();
      throw error;
    }
  },
};

/** Creates an empty database and drops those of earlier trials. @returns its url */
async function freshDatabase(url: string): Promise<string> {
  const name = `socketio_${Date.now().toString(36)}`;
  await onPostgres(urlOf(url, 'postgres'), async (client) => {
    const { rows } = await client.query(earlierDatabases);
    for (const { datname } of rows) await client.query(`DROP DATABASE ${datname}`);
    await client.query(`CREATE DATABASE ${name}`);
  });
  await onPostgres(urlOf(url, name), (client) => client.query(socketioTables));
  return urlOf(url, name);
}

function urlOf(url: string, database: string): string {
  const other = new URL(url);
  other.pathname = `/${database}`;
  return other.href;
}
