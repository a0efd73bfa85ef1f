// Tries a clean clone of this repository in fresh roots of Debian, as `node infra/local/debian.mjs --help` says.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { prepareRoot, suites } from './debian/root.mjs';
import { runTests, startAndStop } from './debian/tries.mjs';
import { fail } from './step.mjs';

const tries = { start: startAndStop, test: runTests };
const flags = {
  debian: { type: 'string', default: '12,13' },
  node: { type: 'string', default: '20,22,24' },
  user: { type: 'string', default: 'root' },
  what: { type: 'string', default: 'start' },
  part: { type: 'string', default: '' },
  uws: { type: 'string', default: '' },
  port: { type: 'string', default: '18080' },
  minutes: { type: 'string', default: '30' },
  dir: { type: 'string', default: join(tmpdir(), 'hooligram-debian') },
  help: { type: 'boolean', default: false },
};

const usage = `node infra/local/debian.mjs [flags]   tries the last commit in fresh roots of Debian

  --debian 12,13         releases
  --node 20,22,24        versions of Node, as npm's package "node" has them
  --user root,person     as root, or as a user who may install nothing (what README.md asks for is installed)
  --what start,test      npm start until it is ready, Ctrl-C, and once more; npm test
  --part PATH            what npm test runs, such as packages/uws; everything without it
  --uws NAME             the uWebSockets.js of all gateways, such as 20.30; the newest without it
  --port P               for npm start (18080); the network is that of this machine
  --minutes N            a try that takes longer is ended (30)
  --dir D                where the roots and the logs are kept (${flags.dir.default}); one run of this at a time
  --help                 this text

  Needs root, debootstrap and util-linux; Debian's mirror and npm's registry are those that this machine uses. What
  is mounted and started is in namespaces of its own, and goes with them. Exit code 1 if a try did not end well.
`;

const options = readOptions();
if (options.help) {
  process.stdout.write(usage);
} else {
  if (process.getuid?.() !== 0) fail('this makes roots of Debian: run it as root');
  const rows = [];
  for (const place of options.places) rows.push(...(await tryIn(place)));
  process.stdout.write(`\n${table(rows)}`);
  process.exitCode = rows.every(({ isGood }) => isGood) ? 0 : 1;
}

async function tryIn(place) {
  const name = `Debian ${place.debian}, Node ${place.node}, ${place.user}`;
  process.stdout.write(`${name}\n`);
  const rows = [];
  for (const what of options.what) {
    const startedAt = Date.now();
    let outcome;
    try {
      const root = await prepareRoot(place, options.dir);
      outcome = await tries[what](root, options);
    } catch (error) {
      outcome = { isGood: false, result: error.message };
    }
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(0);
    process.stdout.write(`  ${what}: ${outcome.result} (${seconds} s with the making of the root)\n`);
    rows.push({ ...place, what, ...outcome });
  }
  return rows;
}

function table(rows) {
  const cells = rows.map(({ debian, node, user, what, ranOn = '', result }) =>
    [debian, node, user, `npm ${what}`, ranOn, result.split('\n')[0]].join(' | '),
  );
  const head = '| Debian | Node | user | what | ran on | result |\n|---|---|---|---|---|---|\n';
  return `${head}${cells.map((row) => `| ${row} |\n`).join('')}`;
}

function readOptions() {
  try {
    const { values } = parseArgs({ options: flags, strict: true });
    const places = listOf('debian', values.debian, Object.keys(suites)).flatMap((debian) =>
      listOf('node', values.node).flatMap((node) =>
        listOf('user', values.user, ['root', 'person']).map((user) => ({ debian, node, user })),
      ),
    );
    const what = listOf('what', values.what, Object.keys(tries));
    const timeoutMs = Number(values.minutes) * 60_000;
    if (!(timeoutMs > 0)) throw new Error('--minutes must be a number');
    return { ...values, places, what, timeoutMs };
  } catch (error) {
    return fail(`${error.message.split('\n')[0]}; see --help`);
  }
}

function listOf(flag, text, known) {
  const list = text.split(',').filter(Boolean);
  const odd = list.find((item) => known && !known.includes(item));
  if (list.length === 0 || odd)
    throw new Error(`--${flag} must be some of ${known?.join(', ')}, not "${text}"`);
  return list;
}
