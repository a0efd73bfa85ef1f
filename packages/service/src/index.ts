export {
  type Config,
  ConfigError,
  type ConfigSchema,
  configRule,
  type Environment,
  joinConfig,
  readConfig,
  redacted,
} from './config.ts';
export { type ExplainedConfig, type ExplainedVariable, explainConfig } from './explain-config.ts';
export { renderHelp } from './help.ts';
export { type Check, createLifecycle, type Lifecycle, type Readiness } from './lifecycle.ts';
export { LimitReport } from './limit-report.ts';
export { listen } from './listen.ts';
export { createLog, type Log } from './log.ts';
export { createLoopTurns } from './loop-turns.ts';
export { runMain } from './main.ts';
export {
  type Counter,
  createMetrics,
  type Gauge,
  type Histogram,
  type HotCounter,
  type HotHistogram,
  type Metrics,
  type Observed,
} from './metrics.ts';
export { networkOf } from './network.ts';
export { countOpenFiles } from './open-files.ts';
export { createPart, type Part } from './part.ts';
export { type Probe, startProbe } from './probe.ts';
export { createProcessStatus } from './process-status.ts';
export { type Rate, rate, rates } from './rate.ts';
export {
  type Host,
  type RedisAddress,
  type RedisClusterShard,
  redisAddress,
  redisAddresses,
  redisUser,
  withoutPasswords,
} from './redis-address.ts';
export { release } from './release.ts';
export {
  createService,
  type Service,
  type ServiceContext,
  type ServiceDefinition,
  serviceConfig,
} from './service.ts';
export { type ConnectionMetrics, createConnectionMetrics, redisLabel } from './service-metrics.ts';
export { findSuspects, type Suspect, suspectText } from './suspects.ts';
export { createTraceMetrics, openTracer, type Span, type Tracer } from './tracing.ts';
export { samplingConfig, tracingConfig } from './tracing-config.ts';
export { untilWorks } from './until-works.ts';
export {
  boolean,
  integer,
  milliseconds,
  port,
  readableFile,
  redisUrl,
  redisUrls,
  url,
  variable,
} from './variables.ts';
export { within } from './within.ts';
