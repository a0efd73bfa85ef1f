import { isIPv6 } from 'node:net';

/**
 * What counts as one address: an IPv4 address, also when it is written as IPv6, or the /64 network of an IPv6
 * address: a client with one IPv6 address has 2^64 of them. Some proxies put the port behind it; it does not count.
 */
export function networkOf(address: string): string {
  const [ip = ''] = withoutPort(address).split('%');
  if (!isIPv6(ip)) return ip;
  const groups = groupsOf(ip);
  const [a = 0, b = 0, c = 0, d = 0] = groups.slice(6).flatMap((group) => [group >> 8, group & 255]);
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) return `${a}.${b}.${c}.${d}`;
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

/**
 * The networks that an address is in, from the narrowest to the widest: who rents one address often has its neighbours, too.
 *
 * @returns the address and its /24 network (IPv4), or its /64, /56 and /48 networks; empty for an address that is not known
 */
export function networksOf(address: string): string[] {
  const narrow = networkOf(address);
  if (narrow === '') return [];
  const [a = '', b = '', c = '', d = ''] = narrow
    .replace('::/64', '')
    .split(narrow.includes(':') ? ':' : '.');
  if (!narrow.includes(':')) return [narrow, `${a}.${b}.${c}.0/24`];
  const of56 = (Number.parseInt(d, 16) & 0xff00).toString(16);
  return [narrow, `${a}:${b}:${c}:${of56}::/56`, `${a}:${b}:${c}::/48`];
}

/** Of `[2001:db8::1]:4711`, `[2001:db8::1]` and `203.0.113.7:4711`: an IPv6 address without brackets has no port. */
function withoutPort(address: string): string {
  return /^\[([^\]]*)\](?::\d+)?$/.exec(address)?.[1] ?? /^([\d.]+):\d+$/.exec(address)?.[1] ?? address;
}

// The WHATWG URL parser knows every spelling of IPv6 and writes them all in one: hexadecimal, at most one "::".
function groupsOf(ip: string): number[] {
  const [head = '', tail] = new URL(`http://[${ip}]`).hostname.slice(1, -1).split('::');
  const parse = (part: string) =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const [first, last] = [parse(head), parse(tail ?? '')];
  return [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
}
