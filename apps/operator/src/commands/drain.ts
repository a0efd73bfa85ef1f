import { setTimeout as pause } from 'node:timers/promises';
import type { NodeReply } from '@hooligram/contract';
import { type Command, InvalidArgumentError } from 'commander';
import { type Nodes, withNodes } from '../nodes.ts';
import { act, exitCodes, Refusal } from '../program.ts';

const lookEveryMs = 500;

type Options = { rate?: number; stop?: boolean; wait: boolean; force?: boolean };

export function addDrain(program: Command): void {
  act<[string], Options>(
    program
      .command('drain')
      .summary('send all clients of a gateway away, and keep it empty')
      .description(
        `Sends all clients of a gateway away with 1012, at most DRAIN_RATE_MAX a second. The gateway runs on and is not ready, so
that the load balancer brings it nobody, until it is stopped, started again, or drain --stop ends that. The command waits
until nobody is left.`,
      )
      .argument('<node>', 'its name or the beginning of it, host:pid, or pid: as hooligram status lists them')
      .option('--rate <n>', 'clients a second, instead of DRAIN_RATE_MAX', wholeNumber)
      .option('--stop', 'ends a drain or a levelling: who is left stays, and the gateway is ready again')
      .option('--force', 'also the last gateway that is ready')
      .option('--no-wait', 'return at once'),
    ({ place, out }, [name], { rate, stop = false, wait, force = false }) =>
      withNodes(place, async (nodes) => {
        const gateway = await nodes.findGateway(name);
        if (stop) {
          await steer(nodes.ask('DRAIN_STOP', {}, gateway.node), gateway);
          out.result({ node: gateway.node, left: gateway.body.gateway?.connections ?? 0 }, [
            `${shortOf(gateway)} takes clients again`,
          ]);
          return exitCodes.done;
        }
        if (!force) await requireOthers(nodes, gateway);
        const { body } = await steer(nodes.ask('DRAIN', { rate_max: rate ?? null }, gateway.node), gateway);
        out.note(`${shortOf(gateway)} sends ${body.left} connections away`);
        const left = wait
          ? await untilEmpty(nodes, gateway, (count) => out.note(`${count} left`))
          : body.left;
        out.result({ node: gateway.node, left }, [
          wait
            ? `${shortOf(gateway)} is empty; hooligram drain ${shortOf(gateway)} --stop lets clients in again`
            : 'begun',
        ]);
        return exitCodes.done;
      }),
  );
}

/** @throws Refusal if nobody would be left to take the clients */
async function requireOthers(nodes: Nodes, gateway: NodeReply): Promise<void> {
  const others = (await nodes.statuses()).filter(
    ({ role, node, body }) => role === 'gateway' && node !== gateway.node && body.is_ready,
  );
  if (others.length > 0) return;
  throw new Refusal(
    'no other gateway is ready, so its clients could go nowhere: start one first, or add --force',
  );
}

async function untilEmpty(
  nodes: Nodes,
  gateway: NodeReply<'STATUS'>,
  onLeft: (left: number) => void,
): Promise<number> {
  let before: number | undefined;
  for (;;) {
    const { body } = await steer(nodes.ask('STATUS', {}, gateway.node), gateway);
    const left = body.gateway?.connections ?? 0;
    if (left !== before) onLeft(left);
    before = left;
    if (left === 0) return 0;
    if (body.gateway?.drain.kind !== 'drain') throw new Refusal('somebody has stopped the drain');
    await pause(lookEveryMs);
  }
}

/** @returns the one reply @throws Refusal if none came */
export async function steer<R extends NodeReply>(replies: Promise<R[]>, gateway: NodeReply): Promise<R> {
  const [reply] = await replies;
  if (reply) return reply;
  throw new Refusal(`${shortOf(gateway)} does not answer`, exitCodes.unreachable);
}

export function shortOf({ node }: { readonly node: string }): string {
  return node.slice(0, 8);
}

export function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number of at least 1.');
}
