import { networkOf } from '@hooligram/service';

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
