import { ConfigError, type ConfigSchema } from './config.ts';
import { explainConfig } from './explain-config.ts';
import { renderHelp } from './help.ts';
import { renderMetricsList } from './metrics-list.ts';
import { release } from './release.ts';
import { configOf, createService, describeMetrics, type Service, type ServiceDefinition } from './service.ts';

/**
 * Runs a service as this process: the whole of a `main.ts`. Everything process-global lives here and only here.
 *
 * - `--help` prints the variables, `--metrics` the metrics, `--version` the release, `--config` what this environment sets, as JSON (exit code 1
 *   if it would not start with that). Any other argument is refused.
 * - SIGTERM and SIGINT stop it gracefully: exit code 0, or 1 if something did not stop cleanly in time.
 *   The same signal a second time exits with 1 at once. (Not the other one: Ctrl-C reaches a whole group of
 *   processes, and then their supervisor sends each its SIGTERM.)
 * - An error that nobody caught is logged as fatal, and the same stop follows, with exit code 1.
 * - A bad config, or a port in use, is printed as plain lines on standard error: exit code 1.
 */
export async function runMain<S extends ConfigSchema>(definition: ServiceDefinition<S>): Promise<void> {
  const args = process.argv.slice(2);
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(renderHelp({ ...definition, config: configOf(definition) }));
    return;
  }
  if (args.length === 1 && args[0] === '--metrics') {
    process.stdout.write(renderMetricsList(describeMetrics(definition)));
    return;
  }
  if (args.includes('--version')) {
    process.stdout.write(`${definition.name} ${release}\n`);
    return;
  }
  if (args.length === 1 && args[0] === '--config') {
    const explained = explainConfig(definition);
    process.stdout.write(`${JSON.stringify(explained, null, 2)}\n`);
    process.exitCode = explained.faults.length > 0 ? 1 : 0;
    return;
  }
  if (args.length > 0) exitWith(definition, new ConfigError(`unknown argument ${args[0]} (see --help)`));
  const service = create(definition);
  const owner = takeOver(service);
  try {
    await service.start();
  } catch (error) {
    if (error instanceof ConfigError) exitWith(definition, error);
    owner.startFailed(error);
  }
}

function create<S extends ConfigSchema>(definition: ServiceDefinition<S>): Service<S> {
  try {
    return createService(definition);
  } catch (error) {
    if (error instanceof ConfigError) exitWith(definition, error);
    throw error;
  }
}

function exitWith({ name }: { name: string }, { faults }: ConfigError): never {
  for (const line of faults) {
    process.stderr.write(line.startsWith(`${name}: `) ? `${line}\n` : `${name}: ${line}\n`);
  }
  process.exit(1);
}

/** Ties the service to this process: its signals and its uncaught errors. */
function takeOver<S extends ConfigSchema>({ log, close }: Service<S>) {
  const signals = new Set<NodeJS.Signals>();
  let exitCode = 0;

  async function stop(isFailure = false): Promise<void> {
    const isClean = await close(isFailure);
    const code = isClean ? exitCode : 1;
    log.info({ code }, 'stopped');
    process.exit(code);
  }

  function fail(err: unknown, event: string): void {
    log.fatal({ err, event }, 'stopping because of an error that nobody caught');
    exitCode = 1;
    void stop(true);
  }

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      const isForced = signals.has(signal);
      log.info({ signal, isForced }, 'stopping');
      if (isForced) process.exit(1);
      signals.add(signal);
      void stop();
    });
  }
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => fail(error, event));
  }

  return {
    // Once a signal has come, a start that breaks is that stop pulling the connections from under it.
    startFailed(error: unknown): void {
      if (signals.size === 0) fail(error, 'start');
      else log.info({ err: error }, 'the start was broken off');
    },
  };
}
