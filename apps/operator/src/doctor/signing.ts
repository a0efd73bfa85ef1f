import type { Names, Signatures } from '@hooligram/bus';
import type { NodeReply } from '@hooligram/contract';
import type { Redis } from '../stores/redis.ts';
import { type Finding, fault, ok, warning } from './finding.ts';

const name = 'nodes.signing';
const cure = 'give all nodes and this command the same list, in the order of docs/security.md, "Signing"';
/** Every node writes an echo each second. */
const echoWaitMs = 2_500;
const unsigned = 'unsigned';

/** Compares the BUS_SIGNING_KEYS of nodes that answer, by their fingerprints. Those of the release before do not say. */
export function compareKeys(statuses: readonly NodeReply<'STATUS'>[]): Finding[] {
  const nodes = statuses.flatMap(({ node, role, body: { signing_keys } }) =>
    signing_keys ? [{ called: `the ${role} ${node.slice(0, 8)}`, keys: signing_keys }] : [],
  );
  const lists = new Set(nodes.map(({ keys }) => textOf(keys)));
  if (lists.size === 0) return [];
  if (lists.size === 1) {
    const [list = ''] = lists;
    return list === textOf([]) ? [] : [ok(name, `all nodes that answer have the same keys: ${list}`)];
  }
  for (const one of nodes) {
    const deaf = nodes.find(({ keys }) => !accepts(keys, one.keys[0] ?? unsigned));
    if (deaf) {
      return [
        fault(
          name,
          `${deaf.called} (${textOf(deaf.keys)}) refuses what ${one.called} (${textOf(one.keys)}) sends`,
          cure,
        ),
      ];
    }
  }
  return [
    warning(
      name,
      `the nodes have different BUS_SIGNING_KEYS, which accept each other: ${[...lists].join('; ')}`,
      'finish the step before the next one: all nodes get one list',
    ),
  ];
}

/** Without keys what is signed cannot be read, and everything else is taken. */
function accepts(keys: readonly string[], key: string): boolean {
  return keys.length === 0 ? key === unsigned : keys.includes(key);
}

function textOf(keys: readonly string[]): string {
  return keys.length === 0 ? 'none' : keys.join(',');
}

/**
 * Why nodes do not answer, as far as it is their keys or this command's: looks at what they write.
 *
 * @param channels of all nodes: an echo is signed for the channel of who wrote it
 */
export async function examineEchoes(
  redis: Redis,
  { echo }: Pick<Names, 'echo'>,
  channels: readonly string[],
  signatures: Signatures | undefined,
): Promise<Finding[]> {
  const until = performance.now() + echoWaitMs;
  let last = '-';
  while (performance.now() < until) {
    const [entry] = await redis.xrevrange(echo, '+', '-', 'COUNT', '1');
    const [id = last, fields = []] = entry ?? [];
    const text = id === last ? undefined : fields[1];
    const found = text === undefined ? undefined : faultOf(text, channels, signatures);
    if (found) return [fault(name, found, cure)];
    last = id;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return [];
}

function faultOf(
  text: string,
  channels: readonly string[],
  signatures: Signatures | undefined,
): string | undefined {
  const isSigned = text.startsWith('signed ');
  if (!signatures) {
    return isSigned ? 'nodes sign what they send, and BUS_SIGNING_KEYS is not set here' : undefined;
  }
  const bytes = Buffer.from(text);
  if (channels.some((channel) => signatures.openPublication(channel, bytes))) return undefined;
  return isSigned
    ? 'a node signs with a key that is not among BUS_SIGNING_KEYS here'
    : 'a node does not sign what it sends, and BUS_SIGNING_KEYS here wants that';
}
