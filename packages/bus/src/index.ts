export { startClaims } from './claims.ts';
export { type RedisClock, startClock, startRedisClock } from './clock.ts';
export { slotOf, tagOfAddress } from './cluster-tags.ts';
export { CommandBatch } from './command-batch.ts';
export { type BusLog, type ConnectionRole, connectRedis, reconnect } from './connection.ts';
export { isEpoch, readEpoch, startEpochWatch } from './database-epoch.ts';
export { countDeadJobs } from './dead-jobs.ts';
export { type DeadRequest, DeadRequests } from './dead-requests.ts';
export { DueSet } from './due-set.ts';
export { type Echo, startEcho } from './echo.ts';
export { EncodedJson } from './encoded-json.ts';
export { checkShards, remarkOnShards, untilEnough } from './enough-shards.ts';
export { deadlineMaxMs, type Entry, type Unreadable } from './entry.ts';
export { countListeners } from './listeners.ts';
export { type Channels, createNames, type Keys, type Names } from './names.ts';
export { oncePerTick } from './once-per-tick.ts';
export type { BusPart } from './pause.ts';
export { PieceCollector } from './pieces.ts';
export { Placement, partitionOf, partitions } from './placement.ts';
export { type BusPublisher, Publisher } from './publisher.ts';
export { isRedisOutage, type Refusal, reasonOf } from './refusal.ts';
export { type RequestReader, startRequestReader } from './request-reader.ts';
export {
  createRequestWriter,
  entryVersion,
  type RequestWriter,
  type WriteFailure,
} from './request-writer.ts';
export { ShardChecks } from './shard-checks.ts';
export { ShardState } from './shard-state.ts';
export { ShardedPublisher } from './sharded-publisher.ts';
export { createSignatures, type Signatures, signingKeys } from './signatures.ts';
export { Subscriptions } from './subscriptions.ts';
