#!/usr/bin/env node
// Runs infra/docker/compose.yaml without Docker, as --help says.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ComposeTrial } from '../src/compose-trial.mjs';

const usage = `tools/infra/bin/try-compose.mjs <root>   runs the services of infra/docker/compose.yaml, and makes every check of the
  conformance kit through its HAProxy

  <root> is the root of the built image. Each of its services runs in it, read-only and as its user; each of the other
  images is replaced by the program of that name on this machine. Every container has a network of its own with a name
  and an address, as Docker gives it; commands, environments, mounted files, the order of starts, health checks and the
  times to stop are those of compose.yaml; limits are off, as the kit needs. Grafana, and what has a profile, is left out.
  Needs root, the programs ip and unshare, and Debian's postgresql, redis-server, haproxy and prometheus. Exit code 1 if
  a check failed.
`;
const [root, isInside] = process.argv.slice(2);
if (!root || root === '--help') {
  process.stdout.write(usage);
} else if (!isInside) {
  // A network, mounts and processes of its own: all of them end with it.
  const own = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const self = [process.execPath, fileURLToPath(import.meta.url), resolve(root), 'inside'];
  process.exitCode = spawnSync('unshare', [...own, ...self], { stdio: 'inherit' }).status ?? 1;
} else {
  await tryCompose();
}

async function tryCompose() {
  const folder = mkdtempSync(join(tmpdir(), 'hooligram-compose-'));
  try {
    process.exitCode = (await new ComposeTrial(root, folder).run()) ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  // What still runs ends with this one.
  process.exit();
}
