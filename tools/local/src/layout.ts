import { isPortFree } from './ports.ts';
import { portsOf, type RedisForm } from './redis-set.ts';
import { StartError } from './start-error.ts';

/** What `npm start` was asked for; infra/local/options.mjs has parsed and checked it. */
export type StackOptions = {
  readonly gateways: number;
  readonly cores: number;
  readonly port: number;
  readonly dataDir: string;
  readonly fresh: boolean;
  /**
   * A folder with a link for each process, by its name, to the root of the release from which it starts, and starts again.
   * Default: all start from this one.
   */
  readonly releases?: string;
  /** How many Redis, or in which form, if REDIS_URL is not set. Default 1. */
  readonly redises?: RedisForm;
};

export type GatewayPlace = {
  readonly name: string;
  readonly ownPort: number;
  readonly adminPort: number;
  /** Of its own port. */
  readonly url: string;
  readonly admin: string;
};

export type CorePlace = {
  readonly name: string;
  readonly adminPort: number;
  readonly admin: string;
};

/** Who listens where. */
export type Layout = {
  readonly sharedPort: number;
  /** Of the port that all gateways share. */
  readonly url: string;
  readonly gateways: readonly GatewayPlace[];
  readonly cores: readonly CorePlace[];
  /** The chat in the browser. */
  readonly webPort: number;
  readonly web: string;
  /** Where the stores listen if they can; they go elsewhere if not. */
  readonly postgresPort: number;
  readonly redisForm: RedisForm;
  readonly redisPorts: readonly number[];
};

type Asked = Pick<StackOptions, 'gateways' | 'cores' | 'port' | 'redises'>;

export function layOut({ gateways, cores, port, redises = 1 }: Asked): Layout {
  const http = (adminPort: number) => `http://127.0.0.1:${adminPort}`;
  const ws = (clientPort: number) => `ws://127.0.0.1:${clientPort}/v2`;
  // The tenth gateway has P + 10 for itself.
  const webPort = port + (gateways < 10 ? 10 : 100);
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
  return {
    sharedPort: port,
    url: ws(port),
    gateways: numbers(gateways).map((i) => ({
      name: `gateway-${i}`,
      ownPort: port + i,
      adminPort: port + 1_000 + i,
      url: ws(port + i),
      admin: http(port + 1_000 + i),
    })),
    cores: numbers(cores).map((j) => ({
      name: `core-${j}`,
      adminPort: port + 1_100 + j,
      admin: http(port + 1_100 + j),
    })),
    webPort,
    web: `${http(webPort)}/`,
    postgresPort: port + 1_200,
    redisForm: redises,
    redisPorts: numbers(portsOf(redises)).map((i) => port + 1_200 + i),
  };
}

/** @throws StartError that names the first port that is in use */
export async function checkPorts({ sharedPort, gateways, cores, webPort }: Layout): Promise<void> {
  const needed: [port: number, use: string][] = [
    [sharedPort, 'all gateways'],
    [webPort, 'the page'],
    ...gateways.map(({ name, ownPort }): [number, string] => [ownPort, name]),
    ...[...gateways, ...cores].map(({ name, adminPort }): [number, string] => [adminPort, `${name}, admin`]),
  ];
  for (const [port, use] of needed) {
    if (await isPortFree(port)) continue;
    throw new StartError(`port ${port} is in use (wanted for ${use}): choose another with --port`);
  }
}
