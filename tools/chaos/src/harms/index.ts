import { halfOpen, neverAcknowledge, slowReaders, vanish } from './clients.ts';
import type { Harm } from './harm.ts';
import { aCore, aGateway, postgresPart, redisPart } from './part.ts';
import { restorePostgres } from './postgres.ts';
import { endPart, loseRedis, stopPart } from './processes.ts';
import { flushRedis, killPubsub, pauseRedis } from './redis.ts';
import { demoteRedis, fillRedis, makePostgresReadOnly } from './refusals.ts';

export const harms = {
  'kill-gateway': {
    about: 'SIGKILL to a gateway',
    run: (context) => endPart(context, aGateway(context), 'SIGKILL'),
  },
  'kill-core': {
    about: 'SIGKILL to a core',
    run: (context) => endPart(context, aCore(context), 'SIGKILL'),
  },
  'kill-redis': {
    about: 'SIGKILL to Redis, which keeps its data',
    run: (context) => endPart(context, redisPart, 'SIGKILL'),
  },
  'lose-redis': { about: 'SIGKILL to Redis, and its data are gone', run: loseRedis },
  'kill-postgres': {
    about: 'SIGKILL to Postgres, all of its processes',
    run: (context) => endPart(context, postgresPart, 'SIGKILL'),
  },
  'restore-postgres': {
    about: 'Postgres goes back to what it was some seconds ago, as a standby that is promoted too early',
    run: restorePostgres,
  },
  'term-gateway': {
    about: 'SIGTERM to a gateway: a drain',
    run: (context) => endPart(context, aGateway(context), 'SIGTERM'),
  },
  'term-core': {
    about: 'SIGTERM to a core',
    run: (context) => endPart(context, aCore(context), 'SIGTERM'),
  },
  'stop-gateway': {
    about: 'SIGSTOP to a gateway for 10 s',
    run: (context) => stopPart(context, aGateway(context)),
  },
  'stop-core': { about: 'SIGSTOP to a core for 10 s', run: (context) => stopPart(context, aCore(context)) },
  'stop-redis': { about: 'SIGSTOP to Redis for 10 s', run: (context) => stopPart(context, redisPart) },
  'stop-postgres': {
    about: 'SIGSTOP to Postgres for 10 s, all of its processes',
    run: (context) => stopPart(context, postgresPart),
  },
  'kill-pubsub': { about: 'CLIENT KILL TYPE pubsub', run: killPubsub },
  'pause-redis': { about: 'CLIENT PAUSE for 5 s', run: pauseRedis },
  flushall: { about: 'FLUSHALL', run: flushRedis },
  'demote-redis': { about: 'Redis is a replica that takes no writes, for 8 s', run: demoteRedis },
  'fill-redis': { about: 'Redis is full, for 8 s', run: fillRedis },
  'read-only-postgres': { about: 'Postgres takes no writes, for 8 s', run: makePostgresReadOnly },
  'half-open': { about: 'connections that are not read any more and never closed', run: halfOpen },
  'slow-readers': { about: 'clients that stop reading for 8 s while 16 MB arrive', run: slowReaders },
  'never-acknowledge': {
    about: 'clients that acknowledge nothing for 12 s, then reconnect',
    run: neverAcknowledge,
  },
  vanish: { about: 'clients that lose message and connection before they acknowledge', run: vanish },
} as const satisfies Record<string, Harm>;

export type HarmName = keyof typeof harms;

export const harmNames = Object.keys(harms) as HarmName[];

export function isHarmName(name: string): name is HarmName {
  return Object.hasOwn(harms, name);
}
