import { killStackOf } from './data-dir.ts';
import type { StackOptions } from './layout.ts';
import { createProgress } from './progress.ts';
import { shutdownSignal } from './shutdown-signal.ts';
import { runStack } from './stack.ts';
import { StartError } from './start-error.ts';

// Started by infra/local/start.mjs, which has parsed and checked the flags.
const options = JSON.parse(process.argv[2] ?? '') as StackOptions;
// The terminal may be gone before we are.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
const progress = createProgress((text) => process.stdout.write(text));

const shutdown = shutdownSignal(() => killStackOf(options.dataDir));
shutdown.addEventListener('abort', () => progress.line('\nstopping'));
try {
  await runStack(options, progress, shutdown);
  process.stdout.write('stopped\n');
  process.exit(0);
} catch (error) {
  process.stderr.write(`${error instanceof StartError ? error.message : (error as Error).stack}\n`);
  process.exit(1);
}
