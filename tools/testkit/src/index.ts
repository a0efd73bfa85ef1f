export type { ReceivedFrame } from '@hooligram/protocol-client';
export { type Certificate, makeCertificate } from './certificates.ts';
export type { RedisCluster } from './clusters/index.ts';
export { startDebianRedis } from './debian-redis.ts';
export { freePorts } from './free-ports.ts';
export { fuzzFactor, fuzzSeed } from './fuzz-seed.ts';
export { giveWay } from './give-way.ts';
export { getOnce, type Metrics, metrics } from './metrics.ts';
export { ownCluster } from './own-cluster.ts';
export {
  backUp,
  copyFiles,
  type OwnPostgres,
  ownPostgres,
  requireTls,
  restartPostgres,
  startCopy,
} from './own-postgres.ts';
export { type OwnRedis, ownRedis } from './own-redis.ts';
export { ownSentinel } from './own-sentinel.ts';
export { patienceMs, until, within } from './patience.ts';
export type { SentinelSet } from './sentinels/index.ts';
export type { ServiceProcess } from './service-process.ts';
export { silentLog } from './silent-log.ts';
export { dropDatabase, emptyDatabase, freshDatabase, freshPrefix, redisUrl } from './stores.ts';
export { connect, TestClient, type TestClientOptions } from './test-client.ts';
export { startSystem, type TestSystem, type TestSystemOptions } from './test-system.ts';
export { uniqueSid } from './unique-sid.ts';
