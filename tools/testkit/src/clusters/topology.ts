import { askRedis } from '@hooligram/local';

const slots = 16_384;

/** As `CLUSTER SLOTS` says it: a range of slots, and its nodes, the master first. */
type Range = [first: number, last: number, ...nodes: [host: string, port: number, ...rest: unknown[]][]];

/** The first and the last slot of each of so many equal parts. */
export function partsOfSlots(parts: number): (readonly [first: number, last: number])[] {
  const start = (part: number) => Math.ceil((part * slots) / parts);
  return Array.from({ length: parts }, (_, part) => [start(part), start(part + 1) - 1] as const);
}

/**
 * The ports of the nodes that have a slot, as the node at a port knows them, the master first; none while it does not
 * answer, or knows none.
 */
export async function nodesOf(slot: number, port: number): Promise<number[]> {
  const ranges = await askRedis(port, (redis) => redis.cluster('SLOTS') as Promise<Range[]>).catch(() => []);
  const range = ranges.find(([first, last]) => first <= slot && slot <= last);
  const [, , ...nodes] = range ?? [0, 0];
  return nodes.map(([, nodePort]) => nodePort);
}

/** Whether the node at a port knows so many nodes, all of them well, and all slots. */
export async function knowsAll(port: number, nodes: number): Promise<boolean> {
  const known = await askRedis(port, async (redis) => ({
    info: String(await redis.cluster('INFO')),
    nodes: String(await redis.cluster('NODES')),
  })).catch(() => undefined);
  const lines = known?.nodes.trim().split('\n') ?? [];
  const isWell = (line: string) => /\bconnected\b/.test(line) && !/fail|handshake|noaddr/.test(line);
  return /cluster_state:ok/.test(known?.info ?? '') && lines.length === nodes && lines.every(isWell);
}

/** Whether the node at a port is a replica that has the data of its master. */
export async function isReplicating(port: number): Promise<boolean> {
  const info = await askRedis(port, (redis) => redis.info('replication')).catch(() => '');
  return info.includes('role:slave') && info.includes('master_link_status:up');
}

/** A machine may be busy. */
const migrateMs = 60_000;

/**
 * Moves a slot with its keys from one master to another, as `redis-cli --cluster reshard` does.
 * @param to the one that gets it: the port at which tests ask it, and that to which others send keys
 * @param all the ports of all masters
 */
export async function moveSlot(
  slot: number,
  from: number,
  { port: to, clientPort }: { readonly port: number; readonly clientPort: number },
  all: readonly number[],
): Promise<void> {
  const idOf = (port: number) => askRedis(port, async (redis) => String(await redis.cluster('MYID')));
  const [source, target] = await Promise.all([idOf(from), idOf(to)]);
  await askRedis(to, (redis) => redis.cluster('SETSLOT', slot, 'IMPORTING', source));
  await askRedis(
    from,
    async (redis) => {
      await redis.cluster('SETSLOT', slot, 'MIGRATING', target);
      for (;;) {
        const keys = (await redis.cluster('GETKEYSINSLOT', slot, 100)) as string[];
        if (keys.length === 0) break;
        await redis.call('MIGRATE', '127.0.0.1', clientPort, '', 0, migrateMs, 'KEYS', ...keys);
      }
    },
    migrateMs,
  );
  // The one that gets it first: else, if both died, nobody would have it.
  for (const port of [to, from, ...all.filter((one) => one !== to && one !== from)])
    await askRedis(port, (redis) => redis.cluster('SETSLOT', slot, 'NODE', target));
}
