import { parseArgs } from 'node:util';

const processesMax = 99;
const redisesMax = 9;
const redisForms = ['cluster', 'sentinel'];
// Core 99 has its admin port at P + 1199; the stores like P + 1200 and the following.
const portMax = 65_535 - 1_200 - redisesMax;

const flags = {
  gateways: { type: 'string', default: '2' },
  cores: { type: 'string', default: '1' },
  redis: { type: 'string', default: '1' },
  port: { type: 'string', default: '8080' },
  'data-dir': { type: 'string', default: '.data' },
  fresh: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
  version: { type: 'boolean', default: false },
};

export const usage = `npm start -- [flags]   runs Hooligram on this machine until Ctrl-C

  --gateways N    how many gateways (2)
  --cores N       how many cores (1)
  --redis N       how many Redis, each for a part of the groups and users (1); or cluster, a Redis
                  Cluster of three masters; or sentinel, a primary and its replica under three
                  Sentinels
  --port P        the port that the gateways share (8080); gateway i listens alone on P+i,
                  its admin HTTP is on P+1000+i, that of core j on P+1100+j; the chat in the
                  browser is on P+10, with ten gateways or more on P+100
  --data-dir D    where data, logs and run/stack.json are kept (.data)
  --fresh         empties the data folder first
  --help          this text
  --version       the release

  DATABASE_URL and REDIS_URL, if set, are used instead of a Postgres and a Redis of its own.
`;

/** A flag that cannot be; its message is the line to show. */
export class OptionsError extends Error {}

/**
 * @param {string[]} args what stands after `npm start --`
 * @returns {{ gateways: number, cores: number, redises: number | string, port: number, dataDir: string, fresh: boolean, help: boolean, version: boolean }}
 * @throws {OptionsError}
 */
export function parseOptions(args) {
  const values = parse(args);
  if (values['data-dir'] === '') throw new OptionsError('--data-dir must name a folder');
  return {
    gateways: integer('--gateways', values.gateways, 1, processesMax),
    cores: integer('--cores', values.cores, 1, processesMax),
    redises: redisOf(values.redis),
    port: integer('--port', values.port, 1, portMax),
    dataDir: values['data-dir'],
    fresh: values.fresh,
    help: values.help,
    version: values.version,
  };
}

function parse(args) {
  try {
    return parseArgs({ args, options: flags, strict: true, allowPositionals: false }).values;
  } catch (error) {
    // Node's own text goes on with advice on how to pass positional arguments.
    const [line] = error.message.split(/\. |\n/);
    throw new OptionsError(`${line}; see npm start -- --help`);
  }
}

function redisOf(text) {
  if (redisForms.includes(text)) return text;
  return integer('--redis', text, 1, redisesMax, `, or ${redisForms.join(', or ')}`);
}

function integer(flag, text, min, max, orElse = '') {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new OptionsError(`${flag} must be a whole number from ${min} to ${max}${orElse}, not "${text}"`);
}
