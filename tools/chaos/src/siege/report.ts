import { availableParallelism } from 'node:os';
import { markdownTable } from 'markdown-table';
import { progressText } from './attack.ts';
import { attacks } from './attacks.ts';
import { lateMs, type Window } from './honest-messages.ts';
import { lostSubscribers } from './redis-usage.ts';
import { burstMs, type SiegeRow } from './siege.ts';

/** What must hold in each attack. */
const limits = { p99Factor: 2, memoryFactor: 1.1 };

/** What limits keep in Redis for an hour, and queues for a moment. */
const redisMayKeepMebibytes = 8;

const milliseconds = (value: number) => (Number.isNaN(value) ? 'nothing arrived' : value.toFixed(0));
const threeOf = ({ p50Ms, p99Ms, worstMs }: Window) => [p50Ms, p99Ms, worstMs].map(milliseconds).join(', ');
const wholeOf = ({ gateways, cores }: SiegeRow['memory']['before']) => gateways + cores;

const factorOf = ({ quiet, attacked }: SiegeRow) => attacked.p99Ms / quiet.p99Ms;
const factorToControl = ({ control, attacked }: SiegeRow) => attacked.p99Ms / control.p99Ms;

/** Of several runs of one attack the one in the middle, by how many times its quiet value the honest p99 was. */
export function middleOf(rows: readonly SiegeRow[]): SiegeRow {
  return rows.toSorted((a, b) => factorOf(a) - factorOf(b))[Math.floor(rows.length / 2)] as SiegeRow;
}

/** @returns which promises an attack broke, in words: in the run in the middle, and what must hold in each run */
export function broken(rows: readonly SiegeRow[]): string[] {
  const isTooLong = factorOf(middleOf(rows)) > limits.p99Factor || Number.isNaN(factorOf(middleOf(rows)));
  return [
    ...(isTooLong ? ['honest p99 is more than twice its quiet value'] : []),
    ...new Set(rows.flatMap(brokenInOne)),
  ];
}

function brokenInOne({ attacked, cut, ownerSignsIn, progress, memory, redis }: SiegeRow): string[] {
  const redisMax = redis.before.mebibytes * limits.memoryFactor + redisMayKeepMebibytes;
  const lost = lostSubscribers(redis.before, redis.after);
  return [
    ...(cut === 0 ? [] : [`${cut} honest connections were cut`]),
    ...(attacked.refused === 0 ? [] : [`${attacked.refused} honest requests were refused`]),
    ...(attacked.late === 0
      ? []
      : [`${attacked.late} deliveries and answers came after more than ${lateMs / 1_000} s, or never`]),
    ...(progress.reached >= progress.wanted && progress.reached <= (progress.most ?? Number.POSITIVE_INFINITY)
      ? []
      : [progressText(progress)]),
    ...(progress.tried?.answers === 0 ? [`no ${progress.tried.what}: nothing is shown`] : []),
    ...(ownerSignsIn.token ? [] : ['an owner was locked out']),
    // Elsewhere strangers can lock them out for a day: docs/security.md says from how many networks.
    ...(ownerSignsIn.code ? [] : ['an owner with a code was locked out in the own network']),
    ...(wholeOf(memory.after) <= wholeOf(memory.before) * limits.memoryFactor ? [] : ['memory is not back']),
    ...(redis.after.mebibytes <= redisMax ? [] : ["Redis' memory is not back"]),
    ...(lost === 0 ? [] : [`${lost} connections to Redis that listened have ended`]),
  ];
}

/** @param runs of each attack, in order */
export function siegeTable(runs: readonly (readonly SiegeRow[])[]): string {
  const head = [
    'attack',
    'p50 quiet, beside the control, attacked (ms)',
    'p99 quiet, beside the control, attacked (ms)',
    'p99 attacked: times quiet, times beside the control',
    'worst quiet, beside the control, attacked (ms)',
    `first ${burstMs / 1_000} s: p50, p99, worst`,
    'the rest: p50, p99, worst',
    'cut, late, refused',
    'owner signs in: token, code, code elsewhere',
    'reached their aim, or came through',
  ];
  const more = [
    ...[
      `CPU of gateways, cores, all quiet (s/s of ${availableParallelism()})`,
      'beside the control: the control, all',
      'attacked: gateways, cores, attacker, all',
      'gateways before, during, after (MiB)',
    ],
    ...['cores (MiB)', 'Redis (MiB)', 'refused', 'broken'],
  ];
  const shares = (...all: number[]) => all.map((share) => share.toFixed(2)).join(', ');
  const lines = runs.map((rows) => {
    const row = middleOf(rows);
    const { name, quiet, control, attacked, cpu, memory, redis, refusals } = row;
    const { before, during, after } = memory;
    const threeTimes = (of: (window: Window) => number) =>
      [quiet, control, attacked].map(of).map(milliseconds).join(', ');
    const { token, code, codeElsewhere } = row.ownerSignsIn;
    return [
      `${name}: ${attacks[name].about}`,
      threeTimes((window) => window.p50Ms),
      threeTimes((window) => window.p99Ms),
      [factorOf(row), factorToControl(row)].map((factor) => factor.toFixed(1)).join(', '),
      threeTimes((window) => window.worstMs),
      threeOf(row.first),
      threeOf(row.rest),
      `${row.cut}, ${attacked.late}, ${attacked.refused}`,
      [token, code, codeElsewhere].map((signsIn) => (signsIn ? 'yes' : '**no**')).join(', '),
      row.progress.what ? progressText(row.progress) : '',
      shares(cpu.quiet.gateways, cpu.quiet.cores, cpu.quiet.machine),
      shares(cpu.control.attacker, cpu.control.machine),
      shares(cpu.rest.gateways, cpu.rest.cores, cpu.rest.attacker, cpu.rest.machine),
      `${before.gateways}, ${during.gateways}, ${after.gateways}`,
      `${before.cores}, ${during.cores}, ${after.cores}`,
      `${redis.before.mebibytes}, ${redis.during.mebibytes}, ${redis.after.mebibytes}`,
      [...refusals].map(([limit, count]) => `${limit} ${count}`).join('; ') || 'nothing',
      broken(rows).join('; ') || 'nothing',
    ];
  });
  return markdownTable([[...head, ...more], ...lines]);
}
