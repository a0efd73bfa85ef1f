export type * as uWS from 'uws-current';
export { type LoadedUws, loadUws, runnableUws, uwsChoices } from './load.ts';
