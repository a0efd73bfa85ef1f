export type { Client, Credential, PhoneNumber } from './client.ts';
export { createClient } from './create-client.ts';
export { type ErrorReason, RequestError } from './errors.ts';
export type {
  ClientEvents,
  ConnectionState,
  Group,
  Message,
  OutboxChange,
  QueuedRequest,
  QueuedType,
  StorageState,
} from './events.ts';
export { messageBytesOver } from './frame-size.ts';
export type {
  AbortSignalLike,
  ClientOptions,
  QueuedRequestOptions,
  RequestOptions,
  WebSocketConstructor,
  WebSocketLike,
} from './options.ts';
export { reconnectDelayMs } from './reconnect-delay.ts';
export { type IndexedDbFactory, indexedDbStorage } from './storage/indexed-db.ts';
export { memoryStorage } from './storage/memory.ts';
export type { ClientStorage } from './storage/storage.ts';
export { type WebStorage, webStorage } from './storage/web-storage.ts';
export { uuid } from './uuid.ts';
