export {
  type ContractMessage,
  contractVersion,
  jobTable,
  otherTable,
} from './contract-table.ts';
export * from './jobs.ts';
export * from './levels.ts';
export * from './node-calls.ts';
export * from './publications.ts';
export { type ReadRequest, readAnswers, readRequest, requestTypes } from './request-shapes.ts';
export * from './requests.ts';
export { UnreadableError } from './shape.ts';
export * from './state.ts';
export { encodeStopping, readStopping } from './stopping.ts';
