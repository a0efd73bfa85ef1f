import { accessSync, constants } from 'node:fs';
import { z } from 'zod';
import { divideAddresses, redisAddress, redisAddresses, redisSchemes } from './redis-address.ts';

/**
 * A variable given as text and used as something else. `expected` completes the sentence "<VARIABLE> must
 * be …" that an operator reads when the text does not parse.
 */
export function variable<T>(expected: string, parse: (text: string) => T | undefined) {
  return z.string().transform((text, context): T => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.issues.push({ code: 'custom', message: `must be ${expected}`, input: text });
    return z.NEVER;
  });
}

/** Only digits: `z.coerce` would take ` 1`, `0x10` and `1e3` for numbers. */
function whole(expected: string, min: number, max: number) {
  return variable(expected, (text) => {
    const value = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  });
}

/** A whole number within bounds, both inclusive. */
export function integer({ min = 0, max = Number.MAX_SAFE_INTEGER }: { min?: number; max?: number } = {}) {
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  return whole(`an integer ${range}`, min, max);
}

/** A TCP port; 0 lets the system choose a free one. */
export function port() {
  return whole('a port from 0 to 65535', 0, 65_535);
}

/** A duration in milliseconds, at most what a Node timer can hold. */
export function milliseconds({ min = 0, max = 2_147_483_647 }: { min?: number; max?: number } = {}) {
  return whole(`a number of milliseconds from ${min} to ${max}`, min, max);
}

/** `true`, `1`, `false` or `0`. */
export function boolean() {
  return z.stringbool({
    truthy: ['true', '1'],
    falsy: ['false', '0'],
    case: 'sensitive',
    error: ({ input }) => (input === undefined ? undefined : 'must be true or false'),
  });
}

/** The path of a file that this process may read. */
export function readableFile() {
  return variable('a file that can be read', (path) => {
    try {
      accessSync(path, constants.R_OK);
      return path;
    } catch {
      return undefined;
    }
  });
}

/**
 * An absolute URL of one of the given schemes (`['redis', 'rediss']`), kept as the text that it was. Behind a scheme with a
 * plus, such as `redis+sentinel`, there may be several hosts, parted by commas.
 */
export function url(schemes: readonly string[]) {
  const starts = schemes.map((scheme) => `${scheme}://`);
  return variable(`a URL that starts with ${starts.join(' or ')}`, (text) => {
    const isUrl = URL.canParse(divideHosts(text).url) || text.includes('@');
    return isUrl && starts.some((start) => text.toLowerCase().startsWith(start)) ? text : undefined;
  }).refine(isWholeUrl, {
    message: 'must have its password percent-encoded: / is %2F, ? is %3F, # is %23, % is %25',
    // What else could be wrong with it is read behind the password.
    abort: true,
  });
}

/** Any form of the address of one Redis that `redisAddress` reads, kept as the text that it was. */
export function redisUrl() {
  return url(redisSchemes).superRefine((text, context) => {
    try {
      if (divideAddresses(text).length > 1) throw new Error('must be the address of one Redis');
      const isOneShard = redisAddress(text).cluster && redisAddresses(text).length === 1;
      if (isOneShard) throw new Error('must be a whole Redis Cluster, without shard');
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
    }
  });
}

/** The address of one Redis, or of several with commas between: `redisAddresses` divides them. Kept as the text that it was. */
export function redisUrls() {
  const one = redisUrl();
  return z.string().superRefine((text, context) => {
    const addresses = divideAddresses(text);
    for (const address of addresses) {
      const { error } = one.safeParse(address);
      for (const { message } of error?.issues ?? []) context.addIssue({ code: 'custom', message });
    }
    if (new Set(addresses).size < addresses.length)
      context.addIssue({ code: 'custom', message: 'must not have the same address twice' });
  });
}

/** Whether its user and password are where they should be: a `/`, `?` or `#` in them makes another URL, or none. */
function isWholeUrl(text: string): boolean {
  const { url } = divideHosts(text);
  if (!URL.canParse(url)) return false;
  const { username, password, pathname, search, hash } = new URL(url);
  if (username === '' && password === '' && `${pathname}${search}${hash}`.includes('@')) return false;
  try {
    decodeURIComponent(`${username}${password}`);
    return true;
  } catch {
    return false;
  }
}

/** A URL with its first host alone, and the further ones, each behind a comma. */
export function divideHosts(text: string): { readonly url: string; readonly others: string } {
  const several = /^(\w+\+\w+:\/\/(?:[^@/?#]*@)?[^@/?#,]*)(,[^@/?#]*)/i.exec(text);
  if (!several) return { url: text, others: '' };
  const [, first = '', others = ''] = several;
  return { url: first + text.slice(several[0].length), others };
}
