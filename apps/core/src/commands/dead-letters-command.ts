import { connectRedis, createNames, startRedisClock } from '@hooligram/bus';
import { type DeadLetter, openQueues, type Queues } from '@hooligram/bus/queues';
import { ConfigError, type Environment, readConfig, url } from '@hooligram/service';
import { z } from 'zod';
import { kinds } from '../retries/index.ts';

const config = z.object({
  REDIS_URL: url(['redis', 'rediss']).default('redis://127.0.0.1:6379'),
  REDIS_PREFIX: z.string().min(1).default('hooligram'),
});

const help = `Jobs that were given up: what they were about, and what becomes of them.

Usage: node dead-letters.js list
       node dead-letters.js replay ID | --all
       node dead-letters.js drop ID | --all

  list     one line each: ID, when it was given up, what it was about, why
  replay   adds the job again from its beginning, unless there is one for the same already, and drops the letter
  drop     forgets the letter

Environment variables:
  REDIS_URL     default redis://127.0.0.1:6379  Redis, the bus
  REDIS_PREFIX  default hooligram               first part of every name in Redis`;

type Output = { out(line: string): void; err(line: string): void };
type Letter = DeadLetter & { readonly queue: string };
type Command = (queues: Queues, letter: Letter) => Promise<string>;

const commands: Record<string, Command> = {
  async replay(queues, letter) {
    const kind = kinds.find(({ name }) => name === letter.queue);
    const data = kind?.schema.safeParse(letter.data);
    if (!kind || !data?.success) throw new Error(`${idOf(letter)} cannot be read by this release; drop it`);
    await queues.add(letter.queue, [kind.replayed(data.data)]);
    await queues.dropDeadLetter(letter.queue, letter.id);
    return 'runs again';
  },
  async drop(queues, letter) {
    await queues.dropDeadLetter(letter.queue, letter.id);
    return 'dropped';
  },
};

/** @returns the exit code */
export async function runDeadLetters(
  args: readonly string[],
  env: Environment,
  output: Output,
): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    output.out(help);
    return 0;
  }
  try {
    const task = taskOf(args);
    const { REDIS_URL, REDIS_PREFIX } = readConfig(config, env, 'dead-letters');
    await withQueues(REDIS_URL, REDIS_PREFIX, (queues) => task(queues, output));
    return 0;
  } catch (error) {
    const lines = error instanceof ConfigError ? error.faults : [(error as Error).message];
    for (const line of lines) output.err(line.replace(/^dead-letters: /, ''));
    return 1;
  }
}

function taskOf([name = '', which, ...rest]: readonly string[]) {
  if (name === 'list' && which === undefined) return list;
  const command = commands[name];
  if (!command || which === undefined || rest.length > 0 || (which.startsWith('-') && which !== '--all')) {
    throw new Error('say list, replay ID, replay --all, drop ID or drop --all (see --help)');
  }
  return async (queues: Queues, { out }: Output) => {
    const letters = (await read(queues)).filter((letter) => which === '--all' || idOf(letter) === which);
    if (letters.length === 0 && which !== '--all') throw new Error(`there is no dead letter ${which}`);
    for (const letter of letters) out(`${idOf(letter)} ${await command(queues, letter)}`);
  };
}

async function list(queues: Queues, { out }: Output): Promise<void> {
  for (const letter of await read(queues)) {
    out(`${idOf(letter)}  ${letter.date.toISOString()}  ${JSON.stringify(letter.data)}  ${letter.reason}`);
  }
}

async function read(queues: Queues): Promise<Letter[]> {
  const letters = kinds.map(async ({ name }) =>
    (await queues.deadLetters(name)).map((letter) => ({ ...letter, queue: name })),
  );
  return (await Promise.all(letters)).flat();
}

function idOf({ queue, id }: Letter): string {
  return `${queue}/${id}`;
}

async function withQueues(
  redisUrl: string,
  prefix: string,
  run: (queues: Queues) => Promise<void>,
): Promise<void> {
  const log = { info() {}, warn() {}, error() {} };
  const redis = await connectRedis(redisUrl, { role: 'command', name: 'dead-letters', log });
  try {
    const names = kinds.map(({ name }) => name);
    const clock = await startRedisClock(redis);
    const queues = openQueues({ redis, prefix: createNames(prefix).queues, names, now: clock.now, log });
    try {
      await run(queues);
    } finally {
      await queues.close();
      clock.close();
    }
  } finally {
    redis.disconnect();
  }
}
