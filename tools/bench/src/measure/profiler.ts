import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';

// Loaded into each Node process that serves, with --import: SIGUSR2 starts the profiler, the next one stops it and
// writes `<name of the program's folder>-<pid>-<number>.cpuprofile`, which Chrome's and VS Code's tools open. The first
// has the number 1.

const intervalUs = 400;
const folder = process.env.BENCH_PROFILE_DIR ?? '.';
const program = process.argv[1]?.split('/').at(-3) ?? 'node';
let session: Session | undefined;
let written = 0;

process.on('SIGUSR2', () => {
  if (session) stop(session);
  else session = start();
});

function start(): Session {
  const started = new Session();
  started.connect();
  started.post('Profiler.enable');
  started.post('Profiler.setSamplingInterval', { interval: intervalUs });
  started.post('Profiler.start');
  return started;
}

function stop(running: Session): void {
  written += 1;
  const name = `${program}-${process.pid}-${written}.cpuprofile`;
  running.post('Profiler.stop', (error, result) => {
    if (!error) writeFileSync(join(folder, name), JSON.stringify(result.profile));
  });
  running.disconnect();
  session = undefined;
}
