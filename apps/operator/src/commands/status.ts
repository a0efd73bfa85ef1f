import { setTimeout as pause } from 'node:timers/promises';
import { countDeadJobs, DeadRequests } from '@hooligram/bus';
import type { NodeReply } from '@hooligram/contract';
import { jobNames } from '@hooligram/contract';
import { withoutPasswords } from '@hooligram/service';
import type { Command } from 'commander';
import type { Nodes } from '../nodes.ts';
import { withNodes } from '../nodes.ts';
import { ago, table } from '../output.ts';
import { act, exitCodes } from '../program.ts';
import type { Shard, Shards } from '../stores/shards.ts';
import { joinStreams, readStream, type Stream } from '../stream.ts';

const watchEveryMs = 2_000;

export function addStatus(program: Command): void {
  act<[], { watch?: boolean }>(
    program
      .command('status')
      .summary('list all gateways and cores that run, with what they do')
      .description(
        `Lists all gateways and cores that run, with what they do; the request stream; and how many dead letters there are.
BUSY is the part of its time that a node's thread was busy since it was asked last. Exit code 1 if a node is not ready
or does not answer, if no gateway or no core runs, or if a Redis is away.`,
      )
      .option('--watch', 'again every two seconds, until Ctrl-C'),
    ({ place, out }, _, { watch = false }) =>
      withNodes(place, async (nodes, shards) => {
        for (;;) {
          const system = await readSystem(nodes, shards);
          if (watch) out.note('\u001b[2J\u001b[H');
          out.result(system, linesOf(system));
          if (!watch) return system.is_well ? exitCodes.done : exitCodes.no;
          await pause(watchEveryMs);
        }
      }),
  );
}

type System = Awaited<ReturnType<typeof readSystem>>;

async function readSystem(nodes: Nodes, { working, away }: Shards) {
  const statuses = await nodes.statuses();
  const [silent, redis] = await Promise.all([nodes.silent(statuses), Promise.all(working.map(readShard))]);
  const hasBoth = (['gateway', 'core'] as const).every((one) => statuses.some(({ role }) => role === one));
  const isWell = hasBoth && silent.length === 0 && away.length === 0;
  return {
    is_well: isWell && statuses.every(({ body }) => body.is_ready),
    nodes: statuses.map(({ node, role, body }) => ({ node, role, ...body })),
    silent,
    stream: joinStreams(redis.map(({ stream }) => stream)),
    dead_letters: redis.reduce((sum, one) => sum + one.dead_letters, 0),
    // Of one Redis all is said above.
    ...(redis.length + away.length > 1 && { redis, redis_away: away }),
  };
}

async function readShard({ place, redis, names }: Shard) {
  const [stream, jobs, requests] = await Promise.all([
    readStream(redis, names),
    countDeadJobs(redis, names.queues, jobNames),
    new DeadRequests(redis, names.deadRequests).count(),
  ]);
  return { url: withoutPasswords(place.redisUrl), stream, dead_letters: jobs + requests };
}

function linesOf({ nodes, silent, stream, dead_letters, redis, redis_away = [] }: System): string[] {
  const rows = nodes.map((node) => [
    node.node.slice(0, 8),
    node.role,
    `${node.host}:${node.pid}`,
    node.release,
    ago(new Date(node.started_at)),
    stateOf(node),
    node.gateway?.connections ?? '',
    node.gateway?.users ?? '',
    node.gateway?.groups ?? '',
    node.gateway?.requests_pending ?? '',
    `${node.busy_percent} %`,
    `${Math.round(node.rss_bytes / 1_048_576)} MiB`,
  ]);
  const head = [
    'NODE',
    'ROLE',
    'PROCESS',
    'RELEASE',
    'UP',
    'STATE',
    'CONNECTIONS',
    'USERS',
    'GROUPS',
    'PENDING',
  ];
  return [
    ...table([...head, 'BUSY', 'MEMORY'], rows),
    ...nodes.flatMap(({ node, failing }) =>
      failing.map((text) => `${node.slice(0, 8)} is not ready: ${text}`),
    ),
    ...silent.map(
      ({ role, node }) => `${node.slice(0, 8)} (${role}) does not answer: frozen, or of an older release`,
    ),
    ...(['gateway', 'core'] as const)
      .filter((one) => ![...nodes, ...silent].some(({ role }) => role === one))
      .map((role) => `no ${role} runs`),
    ...redis_away.map((text) => `a Redis is away: ${text}`),
    ...(redis ?? [{ url: '', stream }]).map(
      (one) => `${redis ? `${one.url}: ` : ''}${streamLine(one.stream)}`,
    ),
    `dead letters: ${dead_letters}${dead_letters > 0 ? ' (hooligram dead-letters list)' : ''}`,
  ];
}

function stateOf({ is_ready, gateway }: NodeReply<'STATUS'>['body']): string {
  if (gateway && gateway.drain.kind !== 'none') return `${gateway.drain.kind}, ${gateway.drain.left} left`;
  return is_ready ? 'ready' : 'not ready';
}

function streamLine({ entries, pending, lag, oldest_ms }: Stream): string {
  const waiting = lag === null ? '' : `, ${lag} not taken yet`;
  const oldest = oldest_ms === null ? '' : `, the oldest ${oldest_ms} ms old`;
  return `request stream: ${entries} entries${waiting}, ${pending} in progress${oldest}`;
}
