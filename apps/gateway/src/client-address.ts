import { BlockList, isIP, SocketAddress } from 'node:net';

/** What is known of where a connection comes from. */
export type Way = {
  /** The other end of the TCP connection. */
  readonly peer: string;
  /** Whom a header of the PROXY protocol names; '' without one. */
  readonly proxied: string;
  /** Every value of X-Forwarded-For, in the order of its lines. */
  readonly forwarded: readonly string[];
};

/** The proxies that are believed when they say for whom they connect. Everybody can send what they send. */
export class TrustedProxies {
  readonly #addresses = new BlockList();

  /** @param list addresses and networks, as `10.0.0.0/8`; each must be one: `isProxy` tells */
  constructor(list: readonly string[]) {
    for (const text of list) {
      const { address, family, bits } = parse(text) ?? {};
      if (address === undefined || family === undefined) throw new Error(`${text} is no address or network`);
      if (bits === undefined) this.#addresses.addAddress(address, family);
      else this.#addresses.addSubnet(address, bits, family);
    }
  }

  static isProxy(text: string): boolean {
    return parse(text) !== undefined;
  }

  /** @param peer an address in any form */
  trusts(peer: string): boolean {
    return this.#has(addressIn(peer) ?? peer);
  }

  /**
   * The address that counts as the client's: the last one on the way here that is no trusted proxy. Each proxy appends
   * whom it saw, so the way is read from its end, and what stands before the first stranger may be anything.
   *
   * @returns an address in its one spelling, without port and zone; an IPv4 one never as IPv6
   */
  clientOf({ peer, proxied, forwarded }: Way): string {
    let client = addressIn(peer) ?? peer;
    if (!this.#has(client)) return client;
    client = addressIn(proxied) ?? client;
    const named = forwarded.join().split(',');
    for (let at = named.length - 1; at >= 0 && this.#has(client); at -= 1) {
      const before = addressIn(named[at] ?? '');
      // `unknown`, a word of somebody's own, or nothing: the proxy knew no more.
      if (before === undefined) break;
      client = before;
    }
    return client;
  }

  #has(address: string): boolean {
    return this.#addresses.check(address, familyOf(address));
  }
}

/**
 * Reads an address in each form that proxies write: `203.0.113.7`, `203.0.113.7:4711`, `2001:db8::1`, `[2001:db8::1]`,
 * `[2001:db8::1]:4711`, in quotes, with a zone, and IPv4 as IPv6.
 * @returns undefined for everything else
 */
export function addressIn(text: string): string | undefined {
  const bare = text.trim().replace(/^"(.*)"$/, '$1');
  const [, inBrackets] = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(bare) ?? [];
  const [, beforePort] = /^([\d.]+):\d{1,5}$/.exec(bare) ?? [];
  const [address = ''] = (inBrackets ?? beforePort ?? bare).split('%');
  const family = isIP(address);
  if (family === 0 || (inBrackets !== undefined && family === 4)) return undefined;
  if (family === 4) return address;
  const spelled = new SocketAddress({ address, family: 'ipv6' }).address;
  return /^::ffff:([\d.]+)$/.exec(spelled)?.[1] ?? spelled;
}

function parse(text: string): { address: string; family: 'ipv4' | 'ipv6'; bits?: number } | undefined {
  const [, address = '', bits] = /^([^/]+?)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  if (isIP(address) === 0) return undefined;
  const family = familyOf(address);
  if (bits === undefined) return { address, family };
  return Number(bits) <= (family === 'ipv4' ? 32 : 128) ? { address, family, bits: Number(bits) } : undefined;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
