import { availableParallelism } from 'node:os';
import { markdownTable } from 'markdown-table';
import { progressText } from './attack.ts';
import { attacks } from './attacks.ts';
import { lostSubscribers } from './redis-usage.ts';
import { burstMs, type SiegeRow } from './siege.ts';

/** What must hold in each attack. */
const limits = { p99Factor: 2, memoryFactor: 1.1 };

/** What limits keep in Redis for an hour, and queues for a moment. */
const redisMayKeepMebibytes = 8;

const milliseconds = (value: number) => (Number.isNaN(value) ? 'nothing arrived' : value.toFixed(0));
const wholeOf = ({ gateways, cores }: SiegeRow['memory']['before']) => gateways + cores;

/** @returns which promises an attack broke, in words */
export function broken({ quiet, attacked, ownerSignsIn, progress, memory, redis }: SiegeRow): string[] {
  const redisMax = redis.before.mebibytes * limits.memoryFactor + redisMayKeepMebibytes;
  const lost = lostSubscribers(redis.before, redis.after);
  return [
    ...(attacked.p99Ms <= quiet.p99Ms * limits.p99Factor
      ? []
      : ['honest p99 is more than twice its quiet value']),
    ...(attacked.cut === 0 ? [] : [`${attacked.cut} honest connections were cut`]),
    ...(progress.reached >= progress.wanted && progress.reached <= (progress.most ?? Number.POSITIVE_INFINITY)
      ? []
      : [`${progressText(progress)} ${progress.what}`]),
    ...(ownerSignsIn ? [] : ['an owner was locked out']),
    ...(wholeOf(memory.after) <= wholeOf(memory.before) * limits.memoryFactor ? [] : ['memory is not back']),
    ...(redis.after.mebibytes <= redisMax ? [] : ["Redis' memory is not back"]),
    ...(lost === 0 ? [] : [`${lost} connections to Redis that listened have ended`]),
  ];
}

export function siegeTable(rows: readonly SiegeRow[]): string {
  const head = [
    'attack',
    'p50 quiet, attacked (ms)',
    'p99 quiet, attacked (ms)',
    `its first ${burstMs / 1_000} s, the rest`,
    'cut',
    'owner signs in',
    'reached their aim, or came through',
  ];
  const more = [
    ...[
      `CPU of gateways, cores, all quiet (s/s of ${availableParallelism()})`,
      'attacked: gateways, cores, attacker, all',
      'gateways before, during, after (MiB)',
    ],
    ...['cores (MiB)', 'Redis (MiB)', 'refused', 'broken'],
  ];
  const shares = (...all: number[]) => all.map((share) => share.toFixed(2)).join(', ');
  const lines = rows.map((row) => {
    const { name, quiet, attacked, cpu, memory, redis, refusals } = row;
    const { before, during, after } = memory;
    return [
      `${name}: ${attacks[name].about}`,
      `${milliseconds(quiet.p50Ms)}, ${milliseconds(attacked.p50Ms)}`,
      `${milliseconds(quiet.p99Ms)}, ${milliseconds(attacked.p99Ms)}`,
      `${milliseconds(row.first.p99Ms)}, ${milliseconds(row.rest.p99Ms)}`,
      String(attacked.cut),
      row.ownerSignsIn ? 'yes' : '**no**',
      row.progress.what ? progressText(row.progress) : '',
      shares(cpu.quiet.gateways, cpu.quiet.cores, cpu.quiet.machine),
      shares(cpu.rest.gateways, cpu.rest.cores, cpu.rest.attacker, cpu.rest.machine),
      `${before.gateways}, ${during.gateways}, ${after.gateways}`,
      `${before.cores}, ${during.cores}, ${after.cores}`,
      `${redis.before.mebibytes}, ${redis.during.mebibytes}, ${redis.after.mebibytes}`,
      [...refusals].map(([limit, count]) => `${limit} ${count}`).join('; ') || 'nothing',
      broken(row).join('; ') || 'nothing',
    ];
  });
  return markdownTable([[...head, ...more], ...lines]);
}
