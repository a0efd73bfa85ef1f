import { useRedis } from '@hooligram/testkit/use-redis';

// What holds for the mobile client holds on two Redis, of which one dies between two of the tests.
useRedis('list');
await import('./mobile-client.test.ts');
