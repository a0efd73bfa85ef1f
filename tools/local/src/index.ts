export {
  commandOf,
  flag,
  folder,
  namesOf,
  numberFrom,
  OptionsError,
  parseFlags,
  runCommand,
  toggle,
} from './command.ts';
export { acquireLock, releaseLock } from './lock.ts';
export { logTail } from './log-file.ts';
export { onPostgres } from './on-postgres.ts';
export { forgetProcess, killRecorded, recordProcess, stopOrphans } from './orphans.ts';
export { isPortFree } from './ports.ts';
export { startPostgres } from './postgres.ts';
export { findOrInstall, findProgram, isProgram } from './program.ts';
export { startRedis } from './redis.ts';
export { askRedis } from './redis-connection.ts';
export { redisProgram } from './redis-program.ts';
export type { RedisForm } from './redis-set.ts';
export { type ProcessSpec, RunningProcess, whenReady } from './running-process.ts';
export { serviceSpec } from './service-spec.ts';
export { type OwnStack as StackDescription, type StackProcess, startStackProcess } from './stack-process.ts';
export { StartError } from './start-error.ts';
export type { Store, StoreOptions } from './store.ts';
export { type ServerList, serveWeb, type WebServer } from './web-server.ts';
