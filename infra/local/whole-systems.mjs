/**
 * The tests that speak to a whole system over sockets, whatever it has for a Redis: what `npm test -- --redis <form>` runs
 * when it is told no files. Not those that look into Redis, put something between it and one process, or bring their own. Not
 * user-limits: a Redis that dies may forget what it counted, and a request that is written again is counted again. Not
 * load-shedding: each of several Redis takes as many requests as the test has one refuse.
 */
export const wholeSystems = [
  'apps/canary/test',
  'apps/core/test/acknowledgements',
  'apps/core/test/authorisation',
  'apps/core/test/devices',
  'apps/core/test/group-closing',
  'apps/core/test/groups',
  'apps/core/test/messaging',
  'apps/core/test/numbers',
  'apps/core/test/repetition',
  'apps/core/test/slow-links',
  'apps/core/test/verification.test',
  'apps/gateway/test/frames',
  'apps/gateway/test/ipv6',
  'apps/gateway/test/large-states',
  'apps/gateway/test/limits',
  'apps/gateway/test/live-delivery',
  'apps/gateway/test/mobile-client',
  'apps/gateway/test/odd-clients',
  'apps/gateway/test/ordering',
  'apps/gateway/test/slow-readers',
  'apps/operator/test/looking',
  'apps/operator/test/steering',
  'apps/operator/test/users',
  'examples',
  'packages/client/test/dead-connections',
  'packages/client/test/groups',
  'packages/client/test/messages',
  'packages/client/test/outbox',
  'packages/client/test/reconnect',
  'tools/chaos/test/fuzz',
  'tools/conformance/test/behind-haproxy',
  'tools/conformance/test/behind-proxies',
  'tools/conformance/test/own-gateways',
];
