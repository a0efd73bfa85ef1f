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
import { siege } from './siege.ts';
import { collectingEnv } from './usage.ts';

type Options = {
  only?: readonly AttackName[];
  seconds: number;
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
      'how long each attack, and the quiet before it, is measured',
      numberFrom(2, 600),
      '20',
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
  const { only = [], seconds, users } = options;
  const stack = await startStackProcess(
    { ...options, env: { ...collectingEnv, LIMITS_ENABLED: 'true' } },
    log,
    signal,
  );
  try {
    const rows = await siege({ only, seconds, users, stack: stack.describe, log, signal });
    const table = siegeTable(rows);
    const file = join(options.dataDir, 'siege.md');
    writeFileSync(file, `${table}\n`);
    process.stdout.write(`\n${table}\n\n${file}\n`);
    for (const line of stack.crashes) log(line);
    return stack.crashes.length === 0 && rows.every((row) => broken(row).length === 0);
  } finally {
    await stack.stop();
  }
});

function log(line: string): void {
  process.stdout.write(`${(performance.now() / 1000).toFixed(1).padStart(7)} s  ${line}\n`);
}
