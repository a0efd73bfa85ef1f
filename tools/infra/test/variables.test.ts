import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { configs } from './variables.ts';

const infra = fileURLToPath(new URL('../../../infra/', import.meta.url));
const files = readdirSync(infra, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules'))
  .map((entry) => join(entry.parentPath, entry.name));

/** Variables of other programs, and of the scripts themselves. */
const others: Record<string, RegExp> = {
  'what the scripts of the repository read': /^(HOOLIGRAM|UWEBSOCKETS|CI|NODE_OPTIONS|TMPDIR)/,
  'a key of the Secret in Kubernetes, from which DATABASE_URL or REDIS_URL is taken':
    /^(MIGRATION_DATABASE|GATEWAY_REDIS|CORE_REDIS)_URL$/,
  'what Node, npm, pnpm and turbo read':
    /^(NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|NO_UPDATE_NOTIFIER|DO_NOT_TRACK|TURBO_TELEMETRY_DISABLED|HTTPS?_PROXY|NO_PROXY)$/,
  'what bash and Debian read': /^(BASH_SOURCE|DEBIAN_FRONTEND|PIPESTATUS|REPO_URI)$/,
  'the arguments of the Dockerfile': /^(NODE|DEBIAN)_IMAGE$/,
  'a request, in a title of a dashboard or in a case of an alert':
    /^(MESSAGING_SEND|GROUP_CREATE|GROUP_LEAVE)$/,
  'what stands for a password in the list of users of Redis': /^(GATEWAY|CORE|OPERATOR)_PASSWORD$/,
  'what buildah reads': /^(STORAGE_DRIVER|BUILDAH_ISOLATION)$/,
  'what the images of Postgres and Grafana read': /^(POSTGRES|GF)_[A-Z_]+$/,
};

/** What the files of the load balancers take from their environment, by their own words. */
const ofProxies = new Set(
  ['haproxy/haproxy.cfg', 'nginx/nginx.conf.template'].flatMap((file) =>
    [...readFileSync(join(infra, file), 'utf8').matchAll(/\$\{(\w+)/g)].map(([, name]) => name),
  ),
);

test('every variable that infra/ names is one that a program reads', () => {
  const known = new Set(Object.values(configs).flatMap(({ shape }) => Object.keys(shape)));
  const isKnown = (name: string) =>
    known.has(name) || ofProxies.has(name) || Object.values(others).some((form) => form.test(name));
  const named = files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/(?<![\w<])[A-Z][A-Z0-9]*(_[A-Z0-9]+)+\b/g)].map(
      ([name]) => `${name} in ${file.slice(infra.length)}`,
    ),
  );
  expect(named.length).toBeGreaterThan(50);
  expect(named.filter((text) => !isKnown(text.split(' ')[0] ?? ''))).toEqual([]);
});

test('every file that compose.yaml mounts is there', () => {
  const text = readFileSync(join(infra, 'docker/compose.yaml'), 'utf8');
  const mounted = [...text.matchAll(/["\s](\.\.?\/[\w./-]+):\//g)].map(([, path = '']) => path);
  expect(mounted.length).toBeGreaterThan(5);
  expect(mounted.filter((path) => !existsSync(join(infra, 'docker', path)))).toEqual([]);
});
