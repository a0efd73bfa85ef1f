import { expect, test } from '@jest/globals';
import { findSuspects, suspectText } from './suspects.ts';

const known = ['GATEWAY_PORT', 'REDIS_URL', 'REQUEST_DEADLINE_MS', 'NUMBERS'];

function suspectsIn(...names: string[]): string[] {
  const env = Object.fromEntries(names.map((name) => [name, '1']));
  return findSuspects(env, known, ['gateway']).map(suspectText);
}

test('a misspelt variable is found, with the one that was meant', () => {
  expect(suspectsIn('GATEWAY_PROT', 'gateway_port', 'REQUEST_DEADLINE', 'REDIS_URLS', 'NUMBER')).toEqual([
    'nothing reads the variable GATEWAY_PROT: did you mean GATEWAY_PORT?',
    'nothing reads the variable NUMBER: did you mean NUMBERS?',
    'nothing reads the variable REDIS_URLS: did you mean REDIS_URL?',
    'nothing reads the variable gateway_port: did you mean GATEWAY_PORT?',
  ]);
});

test('a variable that begins like the role and is none is found', () => {
  expect(suspectsIn('GATEWAY_SPEED')).toEqual(['nothing reads the variable GATEWAY_SPEED (see --help)']);
});

test('what is set, what others read, and what Kubernetes sets for a service is left alone', () => {
  const others = ['HOME', 'PATH', 'DATABASE_URL', 'CORE_SPEED', 'REDIS_PORT'];
  const ofKubernetes = ['GATEWAY_SERVICE_HOST', 'GATEWAY_SERVICE_PORT_HTTP', 'GATEWAY_PORT_80_TCP_ADDR'];
  expect(suspectsIn(...known, ...others, ...ofKubernetes)).toEqual([]);
  expect(findSuspects({ GATEWAY_PROT: '' }, known, ['gateway'])).toEqual([]);
});
