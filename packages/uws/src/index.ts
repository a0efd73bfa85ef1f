export { type LoadedUws, loadUws, runnableUws, uwsChoices } from './load.ts';
export type * as uWS from 'uws-current';
