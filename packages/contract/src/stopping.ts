import { parse } from './request-shapes.ts';

const type = 'STOPPING';
/** It becomes a label of a metric. */
const nodeName = /^[\w-]{1,64}$/;

/**
 * What a node that stops on purpose says on the channel of all nodes. Those that go on report it: a stop can be over between
 * two scrapes, and a process that starts again at the same address looks like one that has died. It has the form of a call,
 * of a type that the release before does not know and ignores.
 */
export function encodeStopping(node: string): string {
  return JSON.stringify({ type, node: null, token: '', reply_to: '', params: { node } });
}

/** @returns the node that stops; undefined for whatever else came on that channel */
export function readStopping(bytes: Buffer): string | undefined {
  if (!bytes.includes(`"${type}"`)) return undefined;
  try {
    const message = parse(bytes.toString()) as { type?: unknown; params?: { node?: unknown } };
    const node = message?.type === type ? message.params?.node : undefined;
    return typeof node === 'string' && nodeName.test(node) ? node : undefined;
  } catch {
    return undefined;
  }
}
