import { statSync } from 'node:fs';

/**
 * The files that take longest, longest first. Begun late, one of them would keep one worker busy when the others have
 * nothing left. Not every file need be here: the others follow, the large ones first.
 */
const longest = [
  'tools/local/test/launcher',
  'apps/core/test/crashes',
  'apps/core/test/retries',
  'apps/core/test/cluster',
  'tools/conformance/test/own-gateways',
  'apps/web/test/breaks',
  'apps/core/test/poison',
  'packages/client/test/reconnect',
  'apps/web/test/access',
  'apps/core/test/many-waiting',
  'tools/conformance/test/behind-haproxy',
  'apps/web/test/chat',
  'tools/bench/test/faults',
  'apps/core/test/retry-costs',
  'tools/conformance/test/broken-servers',
  'tools/conformance/test/command',
];

/** In which order jest begins the test files. */
// biome-ignore lint/style/noDefaultExport: jest asks for one
export default class LongestFirst {
  sort(tests) {
    const place = ({ path }) => {
      const index = longest.findIndex((name) => path.endsWith(`/${name}.test.ts`));
      return index === -1 ? longest.length : index;
    };
    const bytes = ({ path }) => statSync(path).size;
    return [...tests].sort((a, b) => place(a) - place(b) || bytes(b) - bytes(a));
  }

  /** Jest's own order would go by the last run's times; this one knows them. */
  cacheResults() {}

  allFailedTests() {
    throw new Error('--onlyFailures is not known here');
  }

  shard() {
    throw new Error('--shard is not known here');
  }
}
