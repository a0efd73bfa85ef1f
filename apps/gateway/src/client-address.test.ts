import { expect, test } from '@jest/globals';
import { addressIn, TrustedProxies } from './client-address.ts';

const proxies = new TrustedProxies(['10.0.0.0/8', '192.0.2.1', '2001:db8:1::/48']);
const from = (peer: string, ...forwarded: string[]) => proxies.clientOf({ peer, proxied: '', forwarded });

test.each([
  ['203.0.113.7', '203.0.113.7'],
  [' 203.0.113.7 ', '203.0.113.7'],
  ['203.0.113.7:4711', '203.0.113.7'],
  ['"203.0.113.7:4711"', '203.0.113.7'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['0000:0000:0000:0000:0000:ffff:cb00:7107', '203.0.113.7'],
  ['[::ffff:203.0.113.7]:4711', '203.0.113.7'],
  ['2001:DB8:0:0::1', '2001:db8::1'],
  ['[2001:db8::1]', '2001:db8::1'],
  ['"[2001:db8::1]:4711"', '2001:db8::1'],
  ['fe80::1%eth0', 'fe80::1'],
])('an address that is written as %s is read', (text, address) => {
  expect(addressIn(text)).toBe(address);
});

test.each([
  '',
  'unknown',
  '_hidden',
  '203.0.113',
  '203.0.113.7.8',
  '0203.0.113.7',
  '203.0.113.7:',
  '203.0.113.7:http',
  '[203.0.113.7]',
  '[2001:db8::1',
  '2001:db8::1::2',
  'x'.repeat(3_000),
])('what is no address is not taken for one: %.20s', (text) => {
  expect(addressIn(text)).toBeUndefined();
});

test('whoever is no trusted proxy is taken at their own address, whatever they send', () => {
  expect(from('198.51.100.9', '203.0.113.7')).toBe('198.51.100.9');
  expect(proxies.clientOf({ peer: '198.51.100.9', proxied: '203.0.113.7', forwarded: [] })).toBe(
    '198.51.100.9',
  );
  expect(new TrustedProxies([]).clientOf({ peer: '127.0.0.1', proxied: '', forwarded: ['1.2.3.4'] })).toBe(
    '127.0.0.1',
  );
});

test('behind trusted proxies the last address that is none of them counts, over all lines of the header', () => {
  expect(from('10.0.0.1', '203.0.113.7')).toBe('203.0.113.7');
  expect(from('::ffff:10.0.0.1', '203.0.113.7')).toBe('203.0.113.7');
  expect(from('10.0.0.1', '1.1.1.1, 203.0.113.7')).toBe('203.0.113.7');
  expect(from('10.0.0.1', '1.1.1.1', '203.0.113.7')).toBe('203.0.113.7');
  expect(from('10.0.0.1', '1.1.1.1, 203.0.113.7', '192.0.2.1,10.9.9.9:80')).toBe('203.0.113.7');
  expect(from('2001:db8:1::5', '203.0.113.7, [2001:db8:1::6]:443')).toBe('203.0.113.7');
});

test('where a trusted proxy names nobody, or something that is no address, it stands for its clients itself', () => {
  expect(from('10.0.0.1')).toBe('10.0.0.1');
  expect(from('10.0.0.1', '')).toBe('10.0.0.1');
  expect(from('10.0.0.1', '203.0.113.7, unknown')).toBe('10.0.0.1');
  expect(from('10.0.0.1', '203.0.113.7, unknown, 10.0.0.2')).toBe('10.0.0.2');
  expect(from('10.0.0.1', '10.0.0.3, 10.0.0.2')).toBe('10.0.0.3');
});

test('whom a trusted proxy names by the PROXY protocol counts, and is asked further if trusted', () => {
  const named = (proxied: string, ...forwarded: string[]) =>
    proxies.clientOf({ peer: '10.0.0.1', proxied, forwarded });
  expect(named('203.0.113.7')).toBe('203.0.113.7');
  expect(named('203.0.113.7', '1.1.1.1')).toBe('203.0.113.7');
  expect(named('10.0.0.2', '203.0.113.7')).toBe('203.0.113.7');
});
