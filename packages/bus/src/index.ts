export { type BusLog, type ConnectionRole, connectRedis } from './connection.ts';
export { createNames, type Names } from './names.ts';
export { createOutbox, type Outbox } from './outbox.ts';
export { type Entry, type RequestReader, startRequestReader } from './request-reader.ts';
export { createRequestWriter, type RequestWriter } from './request-writer.ts';
export { Subscriptions } from './subscriptions.ts';
