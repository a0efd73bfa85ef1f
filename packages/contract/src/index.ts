export * from './publications.ts';
export * from './requests.ts';
export * from './state.ts';
