import type { Client } from './client.ts';
import type { ClientOptions } from './options.ts';

/** Connects at once; handlers that are added in the same turn miss nothing. */
export function createClient(options: ClientOptions): Client {
  throw new Error(`not yet: ${options.url}`);
}
