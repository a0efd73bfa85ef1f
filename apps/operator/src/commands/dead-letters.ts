import { DeadRequests } from '@hooligram/bus';
import type { Queues } from '@hooligram/bus/queues';
import { type JobName, jobNames, replayOf } from '@hooligram/contract';
import type { Command } from 'commander';
import type { Place } from '../config.ts';
import { act, exitCodes, Refusal } from '../program.ts';
import { type Shard, withShardQueues } from '../stores/shards.ts';

/** `redelivery/17` of a job, `request/1700000000000-0` of a request; of the second of several Redis `redelivery/17@1`. */
type Letter = {
  readonly id: string;
  readonly date: Date;
  readonly about: unknown;
  readonly reason: string;
  /** Why it cannot run again; undefined if it can. */
  readonly obstacle?: string | undefined;
  replay?(): Promise<void>;
  drop(): Promise<void>;
};

type Choice = { all?: boolean };

export function addDeadLetters(program: Command): void {
  const letters = program
    .command('dead-letters')
    .description('Jobs and requests that were given up: what they were about, and what to do with them.');
  act(
    letters
      .command('list')
      .description('print a line per dead letter: ID, when it was given up, about what, why'),
    ({ place, out }) =>
      withLetters(place, async (found) => {
        out.result(found.map(asJson), found.map(lineOf));
      }),
  );
  act<[string], object>(
    letters.command('show').description('print all of one').argument('<ID>', 'one of the list'),
    ({ place, out }, [id]) =>
      withLetters(place, async (found) => {
        const [letter] = choose(found, id);
        if (!letter) return;
        const { date, about, reason, obstacle } = letter;
        out.result(asJson(letter), [
          id,
          `given up  ${date.toISOString()}`,
          `because   ${reason}`,
          `about     ${JSON.stringify(about)}`,
          obstacle
            ? `it cannot run again: ${obstacle}`
            : `hooligram dead-letters replay ${id} has it run again`,
        ]);
      }),
  );
  change(
    letters,
    'replay',
    'have the job run again from its beginning, unless one for the same waits',
    replay,
  );
  change(letters, 'drop', 'forget it', async (letter) => {
    await letter.drop();
    return 'dropped';
  });
}

function change(
  letters: Command,
  name: string,
  description: string,
  apply: (letter: Letter, isOneOfAll: boolean) => Promise<string>,
): void {
  act<[string | undefined], Choice>(
    letters
      .command(name)
      .description(description)
      .argument('[ID]', 'one of the list')
      .option('--all', 'every dead letter in place of one'),
    ({ place, out }, [id], { all = false }) => {
      if (all === (id !== undefined))
        throw new Refusal('say either an ID or --all (see --help)', exitCodes.usage);
      return withLetters(place, async (found) => {
        const chosen = choose(found, id);
        const done: { id: string; outcome: string }[] = [];
        for (const letter of chosen) done.push({ id: letter.id, outcome: await apply(letter, all) });
        out.result(
          done,
          done.map((one) => `${one.id} ${one.outcome}`),
        );
      });
    },
  );
}

/** @throws Refusal if it cannot run again, unless it is one of all */
async function replay({ id, obstacle, replay: again, drop }: Letter, isOneOfAll: boolean): Promise<string> {
  if (!again) {
    if (isOneOfAll) return `stays: ${obstacle}`;
    throw new Refusal(`${id} cannot run again: ${obstacle}`);
  }
  await again();
  await drop();
  return 'runs again';
}

function choose(letters: readonly Letter[], id: string | undefined): readonly Letter[] {
  const chosen = letters.filter((letter) => id === undefined || letter.id === id);
  if (chosen.length === 0 && id !== undefined) throw new Refusal(`there is no dead letter ${id}`);
  return chosen;
}

/** @throws Refusal while one of several Redis is away: what it holds could not be told from what does not exist */
function withLetters(place: Place, use: (letters: readonly Letter[]) => Promise<void>): Promise<void> {
  return withShardQueues(place, async (shards, away) => {
    if (away.length > 0) throw new Refusal(`a Redis is away: ${away.join('; ')}`, exitCodes.unreachable);
    const all = (await Promise.all(shards.map(read))).flat();
    await use(all.sort((one, other) => one.date.getTime() - other.date.getTime()));
  });
}

async function read({ index, queues, redis, names }: Shard & { readonly queues: Queues }): Promise<Letter[]> {
  const requests = new DeadRequests(redis, names.deadRequests);
  const [jobs, given] = await Promise.all([
    Promise.all(jobNames.map((name) => readJobs(queues, name))),
    requests.list(),
  ]);
  const letters = [
    ...jobs.flat(),
    ...given.map(
      ({ id, date, reason, ...about }): Letter => ({
        id: `request/${id}`,
        date,
        about,
        reason,
        obstacle: 'its client got FAILURE, so it must not happen any more; the client may ask for it again',
        drop: async () => void (await requests.drop(id)),
      }),
    ),
  ];
  return index === 0 ? letters : letters.map((letter) => ({ ...letter, id: `${letter.id}@${index}` }));
}

async function readJobs(queues: Queues, name: JobName): Promise<Letter[]> {
  return (await queues.deadLetters(name)).map(({ id, data, reason, date }) => {
    const addition = replayOf(name, data);
    return {
      id: `${name}/${id}`,
      date,
      about: data,
      reason,
      ...(addition
        ? { replay: async () => void (await queues.add(name, [addition])) }
        : { obstacle: 'this release cannot read it' }),
      drop: () => queues.dropDeadLetter(name, id),
    };
  });
}

function asJson({ id, date, about, reason, replay: again }: Letter) {
  return { id, date: date.toISOString(), about, reason, can_replay: again !== undefined };
}

function lineOf({ id, date, about, reason }: Letter): string {
  return `${id}  ${date.toISOString()}  ${JSON.stringify(about)}  ${reason}`;
}
