import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';

// Runs in namespaces of its own for mounts and processes: both go when it ends, however it ends.
const enter = `
set -e
root=$1; uid=$2; gid=$3; shift 3
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 dev "$root/dev"
for name in null zero full random urandom tty; do
  touch "$root/dev/$name"
  mount --bind "/dev/$name" "$root/dev/$name"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s fd/0 "$root/dev/stdin"
ln -s fd/1 "$root/dev/stdout"
ln -s fd/2 "$root/dev/stderr"
exec chroot --userspec="$uid:$gid" --groups="$gid" "$root" "$@"
`;

/** What the roots have of this machine's environment. */
const kept = [
  'NODE_EXTRA_CA_CERTS',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
];

/**
 * Runs a command in a root, and writes what it prints to the root's log.
 * @param {{ path: string, account: { uid: number, gid: number, home: string }, log: string }} root
 * @param {string[]} command
 * @param {object} options
 * @param {number} options.timeoutMs all of it is killed then
 * @param {string} [options.cwd]
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {(output: string, type: (keys: string) => void) => void} [options.onOutput] all that was printed so far, and
 *   how to type on its standard input
 * @returns {Promise<{ code: number | null, output: string }>}
 */
export function runIn({ path, account, log }, command, { timeoutMs, cwd = '/', env = {}, onOutput }) {
  const { uid, gid, home } = account;
  const inside = ['sh', '-c', 'cd "$0" && exec "$@"', cwd, ...command];
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child=SIGKILL'];
  const args = [...namespaces, 'sh', '-c', enter, 'sh', path, uid, gid, ...inside].map(String);
  // If this process is killed, the command is too.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'unshare', ...args], {
    env: {
      ...Object.fromEntries(kept.map((name) => [name, process.env[name]])),
      HOME: home,
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      LANG: 'C.UTF-8',
      TERM: 'dumb',
      ...env,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  const interrupt = () => {
    child.kill('SIGKILL');
    process.exit(130);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, interrupt);
  return new Promise((resolve) => {
    let output = '';
    const receive = (chunk) => {
      output += chunk;
      appendFileSync(log, chunk);
      onOutput?.(output, (keys) => child.stdin.write(keys));
    };
    child.stdout.on('data', receive);
    child.stderr.on('data', receive);
    child.stdin.on('error', () => undefined);
    child.on('close', (code) => {
      clearTimeout(timer);
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(signal, interrupt);
      resolve({ code, output });
    });
  });
}
