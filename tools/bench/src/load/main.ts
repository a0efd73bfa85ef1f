import type { Call, Calls, Reply } from './calls.ts';
import { Population } from './population.ts';

// Started by load-process.ts; ends with it.
const progressMs = 1_000;

let population: Population | undefined;

function current(): Population {
  if (!population) throw new Error('populate has to be called first');
  return population;
}

const calls: Calls = {
  populate(spec) {
    population = new Population(spec);
    return population.populate();
  },
  exchange: (seconds, rate) => current().exchange(seconds, rate),
  disconnect: async () => current().disconnect(),
  storm: (concurrency) => current().storm(concurrency),
  missMessages: (messages) => current().missMessages(messages),
  reconnect: () => current().reconnect(),
};

process.on('disconnect', () => process.exit());
process.on('message', ({ name, params }: Call) => {
  const call = calls[name] as (...params: unknown[]) => Promise<unknown>;
  call(...params).then(
    (result) => reply({ result }),
    (error: Error) => reply({ error: error.message }),
  );
});
setInterval(() => population && reply({ delivered: population.delivered }), progressMs).unref();

function reply(message: Reply): void {
  process.send?.(message);
}
