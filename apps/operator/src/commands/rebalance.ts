import { setTimeout as pause } from 'node:timers/promises';
import type { NodeReply } from '@hooligram/contract';
import { type Command, InvalidArgumentError } from 'commander';
import { type Nodes, withNodes } from '../nodes.ts';
import { type Output, table } from '../output.ts';
import { act, exitCodes, Refusal } from '../program.ts';
import { shortOf, steer, wholeNumber } from './drain.ts';

const lookEveryMs = 500;

type Options = { factor: number; rate?: number; dryRun?: boolean; wait: boolean };
type Gateway = {
  readonly reply: NodeReply<'STATUS'>;
  readonly connections: number;
  readonly surplus: number;
};

export function addRebalance(program: Command): void {
  act<[], Options>(
    program
      .command('rebalance')
      .summary('level the connections of all gateways')
      .description(
        `Levels the connections of all gateways: each that has more than a factor times the mean sends its surplus away with 1012,
who came first, at most DRAIN_RATE_MAX a second. Where they go is the load balancer's decision; with "leastconn" that is
where few are. After a reload of the load balancer it takes several calls: a new one counts nobody who came before.
LEVEL_FACTOR has gateways do all this by themselves.`,
      )
      .option('--factor <n>', 'what is above the mean by this is too much', factorOf, 1.05)
      .option('--rate <n>', 'clients a second and gateway, instead of DRAIN_RATE_MAX', wholeNumber)
      .option('--dry-run', 'print what would be done')
      .option('--no-wait', 'return at once'),
    ({ place, out }, _, { factor, rate, dryRun = false, wait }) =>
      withNodes(place, async (nodes) => {
        const gateways = await readGateways(nodes, factor);
        const full = gateways.filter(({ surplus }) => surplus > 0);
        if (!dryRun) {
          for (const { reply, surplus } of full) {
            const params = { connections: surplus, rate_max: rate ?? null };
            await steer(nodes.ask('SHED', params, reply.node), reply);
          }
          if (wait && full.length > 0) await untilShed(nodes, full, out);
        }
        const after = dryRun || !wait ? gateways : await readGateways(nodes, factor);
        report(out, gateways, after);
        return exitCodes.done;
      }),
  );
}

async function readGateways(nodes: Nodes, factor: number): Promise<Gateway[]> {
  const replies = (await nodes.statuses()).filter(({ body }) => body.gateway && body.is_ready);
  if (replies.length === 0)
    throw new Refusal(
      'no gateway is ready: `hooligram status` shows which nodes there are',
      exitCodes.unreachable,
    );
  const counts = replies.map(({ body }) => body.gateway?.connections ?? 0);
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return replies.map((reply, at) => {
    const connections = counts[at] ?? 0;
    return { reply, connections, surplus: connections > mean * factor ? Math.floor(connections - mean) : 0 };
  });
}

async function untilShed(nodes: Nodes, full: readonly Gateway[], out: Output): Promise<void> {
  const names = new Set(full.map(({ reply }) => reply.node));
  for (;;) {
    const left = (await nodes.statuses())
      .filter(({ node }) => names.has(node))
      .reduce((sum, { body }) => sum + (body.gateway?.drain.left ?? 0), 0);
    if (left === 0) return;
    out.note(`${left} left`);
    await pause(lookEveryMs);
  }
}

function report(out: Output, before: readonly Gateway[], after: readonly Gateway[]): void {
  const rows = before.map(({ reply, connections, surplus }) => ({
    node: reply.node,
    connections,
    surplus,
    connections_after: after.find((gateway) => gateway.reply.node === reply.node)?.connections ?? 0,
  }));
  out.result(rows, [
    ...table(
      ['NODE', 'CONNECTIONS', 'SURPLUS', 'NOW'],
      rows.map((row) => [shortOf(row), row.connections, row.surplus, row.connections_after]),
    ),
    ...(rows.every(({ surplus }) => surplus === 0) ? ['nothing to do: all are near the mean'] : []),
  ]);
}

function factorOf(text: string): number {
  const factor = /^\d{1,2}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (factor >= 1 && factor <= 10) return factor;
  throw new InvalidArgumentError('It must be a number from 1 to 10.');
}
