import { connectRedis, createNames, startRedisClock } from '@hooligram/bus';
import { type DeadLetter, openQueues, type Queues } from '@hooligram/bus/queues';
import { readableFile, readConfig, url } from '@hooligram/service';
import { CommanderError } from 'commander';
import { z } from 'zod';
import { createProgram, print, runProgram } from './commands/program.ts';
import { jobTypes } from './retries/index.ts';

const config = z.object({
  REDIS_URL: url(['redis', 'rediss']).default('redis://127.0.0.1:6379'),
  REDIS_CA_FILE: readableFile().optional(),
  REDIS_PREFIX: z.string().min(1).default('hooligram'),
});

type QueuedDeadLetter = DeadLetter & { readonly queue: string };
type Change = (queues: Queues, letter: QueuedDeadLetter) => Promise<string>;

const program = createProgram(
  'dead-letters',
  'Jobs that were given up: what they were about, and what to do with them.',
  `Environment variables:
  REDIS_URL     default redis://127.0.0.1:6379  Redis, the bus
  REDIS_CA_FILE optional                        certificates in PEM by which a rediss:// is known
  REDIS_PREFIX  default hooligram               first part of every name in Redis`,
);
program
  .command('list')
  .description('print a line per dead letter: ID, when it was given up, what it was about, why')
  .action(() => withQueues(list));
addChange(
  'replay',
  'add the job again from its beginning, unless one for the same waits, and drop the letter',
  replay,
);
addChange('drop', 'forget the letter', drop);

await runProgram(program, 'dead-letters', 'say list, replay ID, replay --all, drop ID or drop --all');

function addChange(name: string, description: string, change: Change): void {
  program
    .command(name)
    .description(description)
    .argument('[ID]', 'one of the list')
    .option('--all', 'every dead letter in place of one')
    .allowExcessArguments(false)
    .action((id: string | undefined, { all = false }: { all?: boolean }) => {
      if (all === (id !== undefined)) throw new CommanderError(1, 'usage', 'either an ID or --all');
      return withQueues((queues) => changeLetters(queues, change, id));
    });
}

/** @param id of one letter; undefined: all */
async function changeLetters(queues: Queues, change: Change, id: string | undefined): Promise<void> {
  const letters = (await read(queues)).filter((letter) => id === undefined || idOf(letter) === id);
  if (letters.length === 0 && id !== undefined) throw new Error(`there is no dead letter ${id}`);
  for (const letter of letters) print(`${idOf(letter)} ${await change(queues, letter)}`);
}

async function replay(queues: Queues, letter: QueuedDeadLetter): Promise<string> {
  const type = jobTypes.find(({ name }) => name === letter.queue);
  const data = type?.schema.safeParse(letter.data);
  if (!type || !data?.success) throw new Error(`${idOf(letter)} cannot be read by this release; drop it`);
  await queues.add(letter.queue, [type.replayed(data.data)]);
  await drop(queues, letter);
  return 'runs again';
}

async function drop(queues: Queues, { queue, id }: QueuedDeadLetter): Promise<string> {
  await queues.dropDeadLetter(queue, id);
  return 'dropped';
}

async function list(queues: Queues): Promise<void> {
  for (const letter of await read(queues)) {
    print(`${idOf(letter)}  ${letter.date.toISOString()}  ${JSON.stringify(letter.data)}  ${letter.reason}`);
  }
}

async function read(queues: Queues): Promise<QueuedDeadLetter[]> {
  const letters = jobTypes.map(async ({ name }) =>
    (await queues.deadLetters(name)).map((letter) => ({ ...letter, queue: name })),
  );
  return (await Promise.all(letters)).flat();
}

function idOf({ queue, id }: QueuedDeadLetter): string {
  return `${queue}/${id}`;
}

async function withQueues(use: (queues: Queues) => Promise<void>): Promise<void> {
  const { REDIS_URL, REDIS_CA_FILE: caFile, REDIS_PREFIX } = readConfig(config, process.env, 'dead-letters');
  const log = { info() {}, warn() {}, error() {} };
  const redis = await connectRedis(REDIS_URL, { role: 'command', name: 'dead-letters', log, caFile });
  try {
    const names = jobTypes.map(({ name }) => name);
    const clock = await startRedisClock(redis);
    const prefix = createNames(REDIS_PREFIX).queues;
    const queues = openQueues({ redis, prefix, names, now: clock.now, log });
    try {
      await use(queues);
    } finally {
      await queues.close();
      clock.close();
    }
  } finally {
    redis.disconnect();
  }
}
