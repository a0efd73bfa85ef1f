import { freePorts } from './free-ports.ts';
import { ServiceProcess } from './service-process.ts';
import { dropDatabase, freshDatabase, freshPrefix, redisUrl } from './stores.ts';

export type TestSystemOptions = {
  /** Default 2. */
  readonly gateways?: number;
  /** Default 1. */
  readonly cores?: number;
  /** A migrated database of the test's own, which is not dropped. Default: a new one in the run's Postgres. */
  readonly databaseUrl?: string;
  /** For all processes, over the defaults; undefined takes one of the defaults away. */
  readonly env?: NodeJS.ProcessEnv;
  readonly gatewayEnv?: NodeJS.ProcessEnv;
  readonly coreEnv?: NodeJS.ProcessEnv;
};

/** Gateways and cores of a test's own, on a database and a Redis prefix of their own. */
export type TestSystem = {
  /** The port that all gateways share: the kernel picks one for each connection. */
  readonly url: string;
  readonly gateways: readonly ServiceProcess[];
  readonly cores: readonly ServiceProcess[];
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly prefix: string;
  /** The gateway with that index; throws when there is none. */
  gateway(index: number): ServiceProcess;
  core(index: number): ServiceProcess;
  /** Adds a process to the running system, as an operator does. */
  addGateway(env?: NodeJS.ProcessEnv, options?: { openFilesMax?: number }): Promise<ServiceProcess>;
  addCore(env?: NodeJS.ProcessEnv): Promise<ServiceProcess>;
  /** All that the processes wrote, each under its name. */
  logs(): string;
  /** Ends everything and drops the database. */
  stop(): Promise<void>;
};

const onSharedRedis: ServiceProcess[] = [];

/** The running processes of this test file whose Redis is that of `redisUrl`. */
export function processesOnRedis(): ServiceProcess[] {
  return onSharedRedis.filter(({ isRunning }) => isRunning);
}

/** Starts the real built processes, cores first, and waits until all of them are ready. */
export async function startSystem(options: TestSystemOptions = {}): Promise<TestSystem> {
  const [databaseUrl, redis, [sharedPort = 0]] = await Promise.all([
    options.databaseUrl ?? freshDatabase(),
    redisUrl(),
    freePorts(1),
  ]);
  const prefix = freshPrefix();
  const gateways: ServiceProcess[] = [];
  const cores: ServiceProcess[] = [];
  const common = {
    ...process.env,
    // Jest's own settings must not reach them.
    NODE_OPTIONS: undefined,
    NODE_ENV: undefined,
    REDIS_URL: redis,
    REDIS_PREFIX: prefix,
    ADMIN_HOST: '127.0.0.1',
    LOG_LEVEL: 'info',
    LIMITS_ENABLED: 'false',
  };

  const add = async (
    app: 'gateway' | 'core',
    processes: ServiceProcess[],
    adminPort: number,
    url: string,
    env: NodeJS.ProcessEnv,
    openFilesMax?: number,
  ) => {
    const name = `${prefix}-${app}-${processes.length + 1}`;
    const all = { ...common, ADMIN_PORT: String(adminPort), ...env };
    const process = new ServiceProcess(app, name, `http://127.0.0.1:${adminPort}`, url, all, openFilesMax);
    processes.push(process);
    if (all.REDIS_URL === redis) onSharedRedis.push(process);
    await process.start();
    return process;
  };

  const addGateway = async (
    env: NodeJS.ProcessEnv = {},
    { openFilesMax }: { openFilesMax?: number } = {},
  ) => {
    const [ownPort = 0, adminPort = 0] = await freePorts(2);
    const addresses = {
      GATEWAY_HOST: '127.0.0.1',
      GATEWAY_PORT: String(sharedPort),
      GATEWAY_OWN_PORT: String(ownPort),
    };
    const own = { ...addresses, ...options.env, ...options.gatewayEnv, ...env };
    return add('gateway', gateways, adminPort, `ws://127.0.0.1:${ownPort}/v2`, own, openFilesMax);
  };

  const addCore = async (env: NodeJS.ProcessEnv = {}) => {
    const [adminPort = 0] = await freePorts(1);
    const own = {
      DATABASE_URL: databaseUrl,
      VERIFICATION_PROVIDER: 'fixed',
      VERIFICATION_FIXED_CODE: '000000',
      CREDENTIAL_KEY: 'a-key-for-tests-that-protects-nothing',
      NUMBERS: 'assigned',
    };
    return add('core', cores, adminPort, '', { ...own, ...options.env, ...options.coreEnv, ...env });
  };

  const stop = async () => {
    // Killed: a stop would wait for what the test broke.
    await Promise.all([...gateways, ...cores].map((process) => process.end()));
    if (options.databaseUrl === undefined) await dropDatabase(databaseUrl);
  };

  try {
    await Promise.all(Array.from({ length: options.cores ?? 1 }, () => addCore()));
    await Promise.all(Array.from({ length: options.gateways ?? 2 }, () => addGateway()));
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    url: `ws://127.0.0.1:${sharedPort}/v2`,
    gateways,
    cores,
    databaseUrl,
    redisUrl: redis,
    prefix,
    gateway: (index) => at(gateways, index),
    core: (index) => at(cores, index),
    addGateway,
    addCore,
    logs: () => [...gateways, ...cores].map((process) => `${process.name}\n${process.log()}`).join('\n'),
    stop,
  };
}

function at(processes: readonly ServiceProcess[], index: number): ServiceProcess {
  const process = processes[index];
  if (!process) throw new Error(`there are ${processes.length} of them, none at index ${index}`);
  return process;
}
