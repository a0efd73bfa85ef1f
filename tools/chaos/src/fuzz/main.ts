import { setTimeout as pause } from 'node:timers/promises';
import {
  commandOf,
  flag,
  folder,
  numberFrom,
  parseFlags,
  runCommand,
  type StackProcess,
  startStackProcess,
} from '@hooligram/local';
import { type Memory, memoryText, readMemory } from '../memory.ts';
import { fuzz } from './fuzz.ts';

const progressEveryMs = 10_000;
/** What a process may keep that it had not at a fifth of the way: a tenth, and what a heap varies by. */
const growthMax = { factor: 1.1, mebibytes: 32 };
const restMs = 5_000;
let users = 0;

type Options = { frames: number; seed?: number; port: number; dataDir: string };

const command = commandOf(
  'npm run fuzz --',
  'Sends mutated frames and raw bytes to a stack of its own. Exit code 0: nothing crashed, every answer was right, memory is back.',
  [
    flag('--frames <n>', 'how many frames', numberFrom(100, 100_000_000), '20000'),
    flag('--seed <n>', 'the same frames again (default: random)', numberFrom(0, 2 ** 32 - 1)),
    flag('--port <n>', 'as in npm start', numberFrom(1, 64_000), '23080'),
    flag('--data-dir <folder>', 'for data and logs; emptied at the start', folder, '.data/fuzz'),
  ],
);

// Started by infra/local/fuzz.mjs.
await runCommand(async (signal) => {
  const options = parseFlags<Options>(command, process.argv.slice(2));
  if (!options) {
    process.stdout.write(command.helpInformation());
    return true;
  }
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 31);
  log(`starting a gateway and a core; --frames ${options.frames} --seed ${seed}`);
  const stack = await startStackProcess({ ...options, gateways: 1, cores: 1 }, log, signal);
  try {
    const problems = await attack(stack, options.frames, seed, signal);
    for (const problem of problems.slice(0, 50)) log(problem);
    log(problems.length === 0 ? 'nothing is wrong' : `${problems.length} problems, with --seed ${seed}`);
    return problems.length === 0;
  } finally {
    await stack.stop();
  }
});

async function attack(
  stack: StackProcess,
  frames: number,
  seed: number,
  signal: AbortSignal,
): Promise<string[]> {
  const { gateways } = stack.describe();
  const pidsBefore = pids(stack);
  const before = await readMemory(stack.describe());
  log(`before: ${memoryText(before)}`);
  let warm: Memory | undefined;
  let nextProgressAt = performance.now() + progressEveryMs;
  const onRound = async (sent: number) => {
    if (!warm && sent >= frames / 5) warm = await readMemory(stack.describe());
    if (performance.now() < nextProgressAt) return;
    nextProgressAt = performance.now() + progressEveryMs;
    log(`${sent} frames; ${memoryText(await readMemory(stack.describe()))}`);
  };
  const url = gateways[0]?.url ?? '';
  const problems = await fuzz({ url, frames, seed, newSid, signal, onRound });
  await pause(restMs, undefined, { signal });
  const after = await readMemory(stack.describe());
  log(`after: ${memoryText(after)}; at a fifth of the way: ${memoryText(warm ?? before)}`);
  if (pids(stack) !== pidsBefore) problems.push('a process has ended');
  return [...problems, ...stack.crashes, ...growth(warm ?? before, after)];
}

function growth(warm: Memory, after: Memory): string[] {
  const isMore = (one: keyof Memory) => after[one] > warm[one] * growthMax.factor + growthMax.mebibytes;
  return (['gateways', 'cores'] as const).filter(isMore).map((one) => `the memory of the ${one} has grown`);
}

function pids(stack: StackProcess): string {
  const { gateways, cores } = stack.describe();
  return [...gateways, ...cores].map(({ pid }) => pid).join();
}

function newSid(): string {
  users += 1;
  return `888.3${String(users).padStart(9, '0')}`;
}

function log(line: string): void {
  process.stdout.write(`${(performance.now() / 1000).toFixed(1).padStart(7)} s  ${line}\n`);
}
