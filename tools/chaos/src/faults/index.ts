import type { RedisForm } from '../redis-forms.ts';
import { halfOpen, neverAcknowledge, slowReaders, vanish } from './clients.ts';
import { anyCore, anyGateway, anyRedis, postgres } from './component.ts';
import type { Fault } from './fault.ts';
import { restorePostgres } from './postgres.ts';
import { end, freeze, loseRedis } from './processes.ts';
import { flushRedis, killPubsub, pauseRedis } from './redis.ts';
import { demoteRedis, fillRedis, makePostgresReadOnly } from './refusals.ts';
import { demotePrimary, freezePrimary, killPrimary } from './sentinels.ts';
import { killShard } from './shards.ts';

export const faults = {
  'kill-gateway': { about: 'SIGKILL to a gateway', run: end('SIGKILL', anyGateway) },
  'kill-core': { about: 'SIGKILL to a core', run: end('SIGKILL', anyCore) },
  'kill-redis': {
    about: 'SIGKILL to Redis, which keeps its data',
    redis: ['one', 'list'],
    run: end('SIGKILL', anyRedis),
  },
  'lose-redis': { about: 'SIGKILL to Redis, and its data are gone', redis: ['one', 'list'], run: loseRedis },
  'kill-postgres': {
    about: 'SIGKILL to Postgres, all of its processes',
    run: end('SIGKILL', () => postgres),
  },
  'restore-postgres': {
    about: 'Postgres goes back to what it was some seconds ago, as a standby that is promoted too early',
    run: restorePostgres,
  },
  'term-gateway': { about: 'SIGTERM to a gateway: a drain', run: end('SIGTERM', anyGateway) },
  'term-core': { about: 'SIGTERM to a core', run: end('SIGTERM', anyCore) },
  'stop-gateway': { about: 'SIGSTOP to a gateway for 10 s', run: freeze(anyGateway) },
  'stop-core': { about: 'SIGSTOP to a core for 10 s', run: freeze(anyCore) },
  'stop-redis': { about: 'SIGSTOP to Redis for 10 s', redis: ['one', 'list'], run: freeze(anyRedis) },
  'stop-postgres': {
    about: 'SIGSTOP to Postgres for 10 s, all of its processes',
    run: freeze(() => postgres),
  },
  'kill-pubsub': { about: 'CLIENT KILL TYPE pubsub', run: killPubsub },
  'pause-redis': { about: 'CLIENT PAUSE for 5 s', run: pauseRedis },
  flushall: { about: 'FLUSHALL', run: flushRedis },
  'demote-redis': {
    about: 'Redis is a replica that takes no writes, for 8 s',
    redis: ['one', 'list'],
    run: demoteRedis,
  },
  'kill-primary': {
    about: 'SIGKILL to the Redis that is the primary; it comes back as a replica',
    redis: ['sentinel'],
    run: killPrimary,
  },
  'demote-primary': {
    about: 'the Sentinels make the other Redis the primary',
    redis: ['sentinel'],
    run: demotePrimary,
  },
  'freeze-primary': {
    about: 'SIGSTOP to the primary until another one is chosen; then it goes on',
    redis: ['sentinel'],
    run: freezePrimary,
  },
  'kill-shard': {
    about: 'SIGKILL to one of several Redis, which is away for 20 s; tells what users elsewhere noticed',
    redis: ['list'],
    run: killShard,
  },
  'fill-redis': { about: 'Redis is full, for 8 s', run: fillRedis },
  'read-only-postgres': { about: 'Postgres takes no writes, for 8 s', run: makePostgresReadOnly },
  'half-open': { about: 'connections that clients neither read nor close', run: halfOpen },
  'slow-readers': { about: 'clients that stop reading for 8 s while 16 MB arrive', run: slowReaders },
  'never-acknowledge': {
    about: 'clients that acknowledge nothing for 12 s, then reconnect',
    run: neverAcknowledge,
  },
  vanish: { about: 'clients that lose message and connection before they acknowledge', run: vanish },
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof faults;

export const faultNames = Object.keys(faults) as FaultName[];

/** Those that can be injected where the stack has this for a Redis. */
export function faultNamesOf(form: RedisForm): FaultName[] {
  return faultNames.filter((name) => {
    const { redis: forms }: Fault = faults[name];
    return forms === undefined || forms.includes(form);
  });
}
