import { z } from 'zod';
import { type Admin, startAdmin } from './admin.ts';
import {
  type Config,
  type ConfigSchema,
  type Environment,
  joinConfig,
  readConfig,
  redacted,
} from './config.ts';
import { createLifecycle, type Lifecycle } from './lifecycle.ts';
import { createLog, type Log, logFormats, logLevels } from './log.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { createNodes, type Nodes } from './nodes.ts';
import { watchReadiness } from './readiness-watch.ts';
import { release } from './release.ts';
import { type Build, createServiceMetrics } from './service-metrics.ts';
import { findSuspects, suspectText } from './suspects.ts';
import { milliseconds, port } from './variables.ts';

/** The variables that every process has. A process may name one of them again, with another default. */
export const serviceConfig = z.object({
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development').describe('where this runs'),
  LOG_LEVEL: z.enum(logLevels).default('info').describe('the least severe lines that are logged'),
  LOG_FORMAT: z.enum(logFormats).default('json').describe('a line of JSON each, or lines for people'),
  ADMIN_HOST: z.string().default('127.0.0.1').describe('address of /healthz, /readyz and /metrics'),
  ADMIN_PORT: port().default(9000).describe('port of /healthz, /readyz and /metrics'),
  ADMIN_TOKEN: z
    .string()
    .min(16)
    .optional()
    .describe('what /metrics wants as Authorization: Bearer; without it everybody who gets there may read'),
  STOP_TIMEOUT_MS: milliseconds({ min: 1 })
    .default(20_000)
    .describe('how long a graceful stop may take; less than what the orchestrator grants'),
});

export type ServiceContext<S extends ConfigSchema> = {
  readonly config: Config<S> & Config<typeof serviceConfig>;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly lifecycle: Lifecycle;
  /** For the metrics `node_info` and `node_stopped`. */
  readonly nodes: Nodes;
  /** For the metric `build_info`. */
  reportBuild(build: Build): void;
};

/** A process as a value: `main.ts` runs it; tests create, start and close it within one process. */
export type ServiceDefinition<S extends ConfigSchema> = {
  readonly name: string;
  /** One line for `--help`. */
  readonly summary?: string;
  readonly config: S;
  /** Makes every metric that `start` makes, for `--metrics`. */
  metrics?(metrics: Metrics): void;
  /** Starts everything, registering each thing's close on `lifecycle`; done when the service can work. */
  start(context: ServiceContext<S>): Promise<void>;
};

export type Service<S extends ConfigSchema> = ServiceContext<S> & {
  /** Starts the admin server, then the service. If that fails, all is closed again, and it rejects. */
  start(): Promise<void>;
  /** Where the admin server listens; throws before `start`. */
  readonly adminUrl: string;
  /** See `Lifecycle.close`. */
  close(isFailure?: boolean): Promise<boolean>;
};

/** All the variables of a process: its own and those of every process. */
export function configOf(definition: Pick<ServiceDefinition<ConfigSchema>, 'config'>): ConfigSchema {
  return joinConfig(serviceConfig, definition.config) as ConfigSchema;
}

/** What `--metrics` lists. */
export function describeMetrics(definition: Pick<ServiceDefinition<ConfigSchema>, 'name' | 'metrics'>) {
  const metrics = createMetrics({ role: definition.name });
  createServiceMetrics(metrics);
  definition.metrics?.(metrics);
  return metrics.describe();
}

/** Reads the config (a bad one throws a ConfigError); starts nothing, and touches nothing global. */
export function createService<S extends ConfigSchema>(
  definition: ServiceDefinition<S>,
  env: Environment = process.env,
  options: { log?: Log } = {},
): Service<S> {
  const config = readConfig(configOf(definition), env, definition.name) as ServiceContext<S>['config'];
  const log =
    options.log ?? createLog({ name: definition.name, level: config.LOG_LEVEL, format: config.LOG_FORMAT });
  const metrics = createMetrics({ role: definition.name });
  const serviceMetrics = createServiceMetrics(metrics);
  const lifecycle = createLifecycle({ log, deadlineMs: config.STOP_TIMEOUT_MS });
  // Whoever ends because of an error has died, whatever it still closes in order.
  serviceMetrics.draining.read(() => (lifecycle.stopping.aborted && !lifecycle.isFailing ? 1 : 0));
  const context: ServiceContext<S> = {
    config,
    log,
    metrics,
    lifecycle,
    nodes: createNodes(serviceMetrics),
    reportBuild: (build) =>
      serviceMetrics.buildInfo.set({ node: process.versions.node, uwebsockets: '', ...build }, 1),
  };
  let admin: Admin | undefined;

  async function startAll(): Promise<void> {
    admin = await startAdmin({
      host: config.ADMIN_HOST,
      port: config.ADMIN_PORT,
      metrics,
      ready: lifecycle.readiness,
      token: config.ADMIN_TOKEN,
    });
    // Registered first, so closed last: while the rest stops, /readyz keeps saying that it does.
    lifecycle.onClose('admin', admin.close);
    lifecycle.onClose('readiness watch', watchReadiness({ lifecycle, log, metrics: serviceMetrics }));
    await definition.start(context);
    lifecycle.markStarted();
  }

  return {
    ...context,
    get adminUrl() {
      if (!admin) throw new Error('the admin server is not started');
      return admin.url;
    },
    async start() {
      log.info({ release, config: redacted(config) }, 'starting');
      const known = Object.keys(configOf(definition).shape);
      for (const suspect of findSuspects(env, known, [definition.name]))
        log.warn(suspect, suspectText(suspect));
      try {
        await startAll();
        if (!lifecycle.stopping.aborted) log.info({ admin: admin?.url }, 'ready');
      } catch (error) {
        await lifecycle.close(true);
        throw error;
      }
    },
    close: lifecycle.close,
  };
}
