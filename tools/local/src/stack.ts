import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { migrate } from '@hooligram/db';
import { Closing } from './closing.ts';
import { openDataDir } from './data-dir.ts';
import { checkPorts, type Layout, layOut, type StackOptions } from './layout.ts';
import type { Progress } from './progress.ts';
import { provideStores } from './provide-stores.ts';
import { readyText } from './ready-text.ts';
import { coreSpec, fixedCode, gatewaySpec } from './service-spec.ts';
import { smokeTest } from './smoke-test.ts';
import { createStackFile } from './stack-file.ts';
import type { StackRun } from './stack-run.ts';
import { StartError } from './start-error.ts';
import { startServices } from './start-services.ts';
import { serveWeb } from './web-server.ts';

/**
 * Runs a local stack: starts everything, tests that it works, and keeps it running until the signal. Then, or
 * when something does not start, all that was started is stopped in the reverse order.
 * @throws StartError when it does not start; nothing is left running then
 */
export async function runStack(
  options: StackOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const closing = new Closing();
  try {
    const startedAt = Date.now();
    const run = await bringUp(options, progress, closing, signal);
    progress.line(readyText(run, fixedCode(), Date.now() - startedAt));
    if (!signal.aborted) await once(signal, 'abort');
  } catch (error) {
    // A request to stop breaks off the start; that is no failure.
    if (!signal.aborted) throw error;
  } finally {
    await closing.closeAll();
  }
}

async function bringUp(
  options: StackOptions,
  progress: Progress,
  closing: Closing,
  signal: AbortSignal,
): Promise<StackRun> {
  const layout = layOut(options);
  const dataDir = await openDataDir(options.dataDir, options.fresh, progress.line);
  closing.stage()(dataDir.release);
  await checkPorts(layout);
  const stackFile = createStackFile(dataDir.runDir);
  const run: StackRun = { layout, dataDir, progress, closing, signal, onPidChange: stackFile.refresh };

  const { postgres, redis } = await progress.step('Postgres and Redis', () => provideStores(run));
  await progress.step('migrations', () => applyMigrations(postgres.url, layout, options.releases, progress));
  const urls = { databaseUrl: postgres.url, redisUrl: redis.url };
  const cores = await progress.step(counted(options.cores, 'core'), () =>
    startServices(run, layout.cores, (place) => coreSpec(place, dataDir, urls, options.releases)),
  );
  const gateways = await progress.step(counted(options.gateways, 'gateway'), () =>
    startServices(run, layout.gateways, (place) =>
      gatewaySpec(place, layout, dataDir, urls, options.releases),
    ),
  );
  await openWeb(run);
  await test(run);

  closing.stage()(stackFile.remove);
  stackFile.publish(() => ({
    url: layout.url,
    web: layout.web,
    gateways: gateways.map(({ place, process }) => ({
      pid: process.pid,
      url: place.url,
      admin: place.admin,
    })),
    cores: cores.map(({ place, process }) => ({ pid: process.pid, admin: place.admin })),
    redis: { url: redis.url },
    redises: redis.stores.flatMap(({ pid, url }) => (pid === undefined ? [] : [{ pid, url }])),
    postgres: { pid: postgres.pid, url: postgres.url },
  }));
  return run;
}

/** On the address of the gateways: a user who opens them to other machines opens the page too. */
async function openWeb({ layout, closing }: StackRun): Promise<void> {
  const { GATEWAY_HOST } = process.env;
  const gateways = layout.gateways.map(({ name, ownPort }) => ({ name, port: ownPort }));
  const servers = { port: layout.sharedPort, gateways };
  const web = await serveWeb(GATEWAY_HOST || '127.0.0.1', layout.webPort, servers);
  closing.stage()(web.close);
}

/** A core of an earlier release is not ready on a database that has never had its functions. */
async function applyMigrations(
  url: string,
  { cores }: Pick<Layout, 'cores'>,
  releases: string | undefined,
  progress: Progress,
): Promise<void> {
  const log = (line: string) => line.startsWith('warning') && progress.line(line);
  try {
    const roots = releases === undefined ? [] : cores.map(({ name }) => realpathSync(join(releases, name)));
    for (const root of new Set(roots)) {
      const program = join(root, 'packages/db/dist/migrations/main.js');
      await promisify(execFile)(process.execPath, [program], { env: { ...process.env, DATABASE_URL: url } });
    }
    await migrate({ url, log });
  } catch (error) {
    throw new StartError((error as Error).message);
  }
}

async function test({ layout, progress }: StackRun): Promise<void> {
  const [from, to = from] = layout.gateways;
  const code = fixedCode();
  if (!from || !to) return;
  if (code === undefined) {
    progress.line('no proof that messages arrive: VERIFICATION_PROVIDER sends its codes elsewhere');
    return;
  }
  await progress.step(`a message from ${from.name} to ${to.name}`, () => smokeTest(from.url, to.url, code));
}

function counted(count: number, what: string): string {
  return count === 1 ? `1 ${what}` : `${count} ${what}s`;
}
