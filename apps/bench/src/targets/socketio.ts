import { join } from 'node:path';
import { startPostgres, startRedis, type Store } from '@hooligram/stack';
import pg from 'pg';
import { socketioTables } from '../peers/socketio-tables.sql.ts';
import { startPeer } from './peer-process.ts';
import type { Target } from './target.ts';

const nodes = 2;

/** Two Socket.IO nodes with the Redis adapter, on stores of the same kind and settings as ours. */
export const socketio: Target = {
  about: 'two Socket.IO nodes with the Redis adapter and Postgres',
  async start({ port, dataDir }, _log, signal) {
    const dir = join(dataDir, 'socketio');
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
      return { speech: 'socketio', urls, code: '000000', roles: () => roles, databaseUrl, stop };
    } catch (error) {
      await stop();
      throw error;
    }
  },
};

async function freshDatabase(url: string): Promise<string> {
  const name = `socketio_${Date.now().toString(36)}`;
  const admin = new URL(url);
  admin.pathname = '/postgres';
  const own = new URL(url);
  own.pathname = `/${name}`;
  await query(admin.href, `CREATE DATABASE ${name}`);
  await query(own.href, socketioTables);
  return own.href;
}

async function query(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
