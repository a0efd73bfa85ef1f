import { giveWay } from '@hooligram/testkit';
import { type Call, giveWayFlag, type Reply } from './calls.ts';
import { Population } from './population.ts';
import type { PopulationSpec } from './population-spec.ts';

// Started by load-process.ts; ends with it.
const progressMs = 1_000;

if (process.argv.includes(giveWayFlag)) giveWay();

let population: Population | undefined;

process.on('disconnect', () => process.exit());
process.on('message', (message: Call) => {
  call(message).then(
    (result) => reply({ result }),
    (error: Error) => reply({ error: error.message }),
  );
});
setInterval(() => population && reply({ delivered: population.delivered }), progressMs).unref();

async function call({ name, params }: Call): Promise<unknown> {
  if (name === 'populate') {
    population = new Population(params[0] as PopulationSpec);
    return population.populate();
  }
  if (!population) throw new Error('populate has to be called first');
  const method = population[name] as (...params: unknown[]) => unknown;
  return method.apply(population, params);
}

function reply(message: Reply): void {
  // The trial may have been given up: then nobody hears this, and the process ends.
  process.send?.(message, undefined, {}, () => {});
}
