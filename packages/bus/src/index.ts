export { type Claims, startClaims } from './claims.ts';
export { type RedisClock, startRedisClock } from './clock.ts';
export { type BusLog, type ConnectionRole, connectAnew, connectRedis } from './connection.ts';
export { type Echo, startEcho } from './echo.ts';
export type { Entry } from './entry.ts';
export { createNames, type Names } from './names.ts';
export { createOutbox, type Outbox } from './outbox.ts';
export type { BusPart } from './pause.ts';
export {
  type Addition,
  type DeadLetter,
  dueOf,
  type JobKind,
  openQueues,
  type Queues,
  startWorkers,
  type Verdict,
  type Workers,
} from './queues.ts';
export { isRedisOutage, type Refusal, reasonOf } from './refusal.ts';
export { type RequestReader, startRequestReader } from './request-reader.ts';
export { createRequestWriter, type RequestWriter, type WriteFailure } from './request-writer.ts';
export { Subscriptions } from './subscriptions.ts';
