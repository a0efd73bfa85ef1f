import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  commandOf,
  flag,
  folder,
  namesOf,
  numberFrom,
  parseFlags,
  runCommand,
  startStackProcess,
} from '@hooligram/local';
import { type AttackName, attackNames, attacks } from './attacks.ts';
import { broken, siegeTable } from './report.ts';
import { type SiegeRow, siege } from './siege.ts';
import { startSlowProvider } from './slow-provider.ts';
import { collectingEnv } from './usage.ts';

type Options = {
  only?: readonly AttackName[];
  seconds: number;
  runs: number;
  users: number;
  gateways: number;
  cores: number;
  port: number;
  dataDir: string;
};

const command = commandOf(
  'npm run siege --',
  'Attacks a stack of its own, with the default limits, while honest users chat, and measures what it costs them.',
  [
    flag('--only <attacks>', 'these attacks instead of all', namesOf(attackNames)),
    flag(
      '--seconds <n>',
      'how long each attack is measured; the quiet before it and the control behind it as long, but half a minute at most',
      numberFrom(2, 600),
      '20',
    ),
    flag(
      '--runs <n>',
      'so many times, each on a new stack; the table has of each attack the run in the middle',
      numberFrom(1, 9),
      '1',
    ),
    flag('--users <n>', 'how many honest users', numberFrom(5, 250), '100'),
    flag('--gateways <n>', 'how many gateways; the first is attacked', numberFrom(1, 20), '2'),
    flag('--cores <n>', 'how many cores', numberFrom(1, 20), '1'),
    flag('--port <n>', 'as in npm start', numberFrom(1, 64_000), '26080'),
    flag('--data-dir <folder>', 'for data, logs and the table; emptied at the start', folder, '.data/siege'),
  ],
);

const usage = () => {
  const listed = attackNames.map((name) => `  ${name.padEnd(31)}${attacks[name].about}`).join('\n');
  return `${command.helpInformation()}\nExit code 0: nobody was harmed. 1: somebody was, or the run failed.\n\nAttacks:\n${listed}\n`;
};

// Started by infra/local/siege.mjs.
await runCommand(async (signal) => {
  const options = parseFlags<Options>(command, process.argv.slice(2));
  if (!options) {
    process.stdout.write(usage());
    return true;
  }
  const { only = attackNames, runs } = options;
  const isSlow = (name: AttackName) => 'hasSlowProvider' in attacks[name];
  const rows = new Map<AttackName, SiegeRow[]>(only.map((name) => [name, []]));
  const crashes: string[] = [];
  try {
    for (let run = 1; run <= runs; run += 1) {
      if (runs > 1) log(`run ${run} of ${runs}`);
      for (const names of [only.filter((name) => !isSlow(name)), only.filter(isSlow)]) {
        const onRow = (row: SiegeRow) => rows.get(row.name)?.push(row);
        if (names.length > 0) await onNewStack({ ...options, names, crashes, onRow }, signal);
      }
    }
  } finally {
    // Also what was measured before something failed.
    const measured = [...rows.values()].filter(({ length }) => length > 0);
    if (measured.length > 0) writeTable(options.dataDir, measured);
  }
  for (const line of crashes) log(line);
  return crashes.length === 0 && [...rows.values()].every((each) => broken(each).length === 0);
});

type OnNewStack = Options & {
  /** Of attacks that can share a stack. */
  readonly names: readonly AttackName[];
  /** Takes a line for each process that crashed. */
  readonly crashes: string[];
  readonly onRow: (row: SiegeRow) => void;
};

async function onNewStack(
  { names, crashes, onRow, ...options }: OnNewStack,
  signal: AbortSignal,
): Promise<void> {
  const provider = names.some((name) => 'hasSlowProvider' in attacks[name])
    ? await startSlowProvider()
    : undefined;
  const env = { ...collectingEnv, ...provider?.env, LIMITS_ENABLED: 'true' };
  try {
    const stack = await startStackProcess({ ...options, env }, log, signal);
    try {
      const { seconds, users } = options;
      await siege({ only: names, seconds, users, stack: stack.describe, log, signal }, onRow);
    } finally {
      await stack.stop();
      crashes.push(...stack.crashes);
    }
  } finally {
    provider?.close();
  }
}

function writeTable(dataDir: string, rows: readonly (readonly SiegeRow[])[]): void {
  const table = siegeTable(rows);
  const file = join(dataDir, 'siege.md');
  writeFileSync(file, `${table}\n`);
  process.stdout.write(`\n${table}\n\n${file}\n`);
}

function log(line: string): void {
  process.stdout.write(`${(performance.now() / 1000).toFixed(1).padStart(7)} s  ${line}\n`);
}
