export { canInstallDebianPackages, installDebianPackage } from './debian-package.ts';
export { forgetProcess, killRecorded, recordProcess, stopLeftovers } from './leftovers.ts';
export { acquireLock, releaseLock } from './lock.ts';
export { logTail } from './log-file.ts';
export { isPortFree } from './ports.ts';
export { startPostgres } from './postgres.ts';
export { startRedis } from './redis.ts';
export { type ProcessSpec, type RunningProcess, startProcess, whenReady } from './running-process.ts';
export {
  type StackDescription,
  type StackProcess,
  startStackProcess,
} from './stack-process.ts';
export { StartError } from './start-error.ts';
export type { Store, StoreOptions } from './store.ts';
export { type ServerList, serveWeb, type WebServer } from './web-server.ts';
