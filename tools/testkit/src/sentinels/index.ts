export { SentinelSet, type SentinelSetOptions } from './sentinel-set.ts';
