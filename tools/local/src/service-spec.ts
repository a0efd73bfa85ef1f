import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DataDir } from './data-dir.ts';
import type { CorePlace, GatewayPlace, Layout } from './layout.ts';
import type { ProcessSpec } from './running-process.ts';

// From src/ and from dist/ alike.
const repositoryRoot = fileURLToPath(new URL('../../../', import.meta.url));
/** A gateway spreads the closing of its connections over a while. */
const stopTimeoutMs = 20_000;

type Stores = {
  readonly databaseUrl: string;
  readonly redisUrl: string;
};

/**
 * The environment of a process: what suits a local stack, over it what the user has set, over that what the
 * stack decides.
 */
function environment(defaults: NodeJS.ProcessEnv, decided: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const given = Object.entries(process.env).filter(([, value]) => value !== '');
  return {
    REDIS_PREFIX: 'hooligram',
    LOG_LEVEL: 'info',
    ADMIN_HOST: '127.0.0.1',
    // A load generator on this machine has thousands of connections from one address.
    LIMITS_ENABLED: 'false',
    ...defaults,
    ...Object.fromEntries(given),
    ...decided,
  };
}

export function gatewaySpec(
  place: GatewayPlace,
  layout: Layout,
  dataDir: DataDir,
  stores: Stores,
  releases?: string,
): ProcessSpec {
  // Whoever presses Ctrl-C wants it to end; elsewhere a gateway takes longer to send its clients away.
  const defaults = { GATEWAY_HOST: '127.0.0.1', DRAIN_SECONDS: '1', STOP_TIMEOUT_MS: '15000' };
  const decided = {
    REDIS_URL: stores.redisUrl,
    GATEWAY_PORT: String(layout.sharedPort),
    GATEWAY_OWN_PORT: String(place.ownPort),
    ADMIN_PORT: String(place.adminPort),
  };
  const env = environment(defaults, decided);
  return serviceSpec('gateway', place.name, dataDir.logDir, env, rootOf(place.name, releases));
}

export function coreSpec(place: CorePlace, dataDir: DataDir, stores: Stores, releases?: string): ProcessSpec {
  const defaults = {
    ...localVerification,
    CREDENTIAL_KEY: dataDir.credentialKey,
    // Any number of an assigned country code signs in, +1 555 0100 too.
    NUMBERS: 'assigned',
  };
  const decided = {
    DATABASE_URL: stores.databaseUrl,
    REDIS_URL: stores.redisUrl,
    ADMIN_PORT: String(place.adminPort),
  };
  const env = environment(defaults, decided);
  return serviceSpec('core', place.name, dataDir.logDir, env, rootOf(place.name, releases));
}

const localVerification = { VERIFICATION_PROVIDER: 'fixed', VERIFICATION_FIXED_CODE: '000000' };

/** The code that signs any number in; undefined when the user chose a provider that sends real ones. */
export function fixedCode(): string | undefined {
  const { VERIFICATION_PROVIDER, VERIFICATION_FIXED_CODE } = environment(localVerification, {});
  return VERIFICATION_PROVIDER === 'fixed' ? VERIFICATION_FIXED_CODE : undefined;
}

/** Where the release of a process is. The link is followed at each start of the process. */
function rootOf(name: string, releases: string | undefined): string {
  return releases === undefined ? repositoryRoot : join(releases, name);
}

/**
 * What Node is told for a gateway. V8 lets the young generation of its heap grow to 32 MB and more, which sign-ins fill, and
 * gives it back only at rest; with 16 MB messages cost as much (docs/performance.md). The image says the same:
 * infra/docker/run.sh.
 */
const gatewayNodeOptions = ['--max-semi-space-size=8'];

/** How a built program is started. @param root of the release */
export function serviceSpec(
  app: 'gateway' | 'core' | 'canary',
  name: string,
  logDir: string,
  env: NodeJS.ProcessEnv,
  root: string = repositoryRoot,
): ProcessSpec {
  return {
    name,
    command: process.execPath,
    args: [...(app === 'gateway' ? gatewayNodeOptions : []), join(root, 'apps', app, 'dist/main.js')],
    cwd: root,
    env,
    logFile: join(logDir, `${name}.log`),
    stopSignal: 'SIGTERM',
    stopTimeoutMs,
    detached: true,
  };
}
