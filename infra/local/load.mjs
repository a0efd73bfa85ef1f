import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const processes = 2;
const own = fileURLToPath(import.meta.url);

/** Starts processes that want a core each, for tests that must pass on a busy machine. They end with this process. */
export function startLoad() {
  const children = Array.from({ length: processes }, () => fork(own, { execArgv: [], stdio: 'ignore' }));
  process.on('exit', () => {
    for (const child of children) child.kill('SIGKILL');
  });
}

/** Keeps a core busy until the parent has gone, however it went. */
function burn() {
  const sliceEnd = Date.now() + 50;
  while (Date.now() < sliceEnd) Math.sqrt(Math.random());
  setImmediate(burn);
}

if (process.argv[1] === own) {
  process.on('disconnect', () => process.exit());
  burn();
}
