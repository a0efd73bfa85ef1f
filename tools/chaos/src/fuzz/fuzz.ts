import { phoneOf } from '@hooligram/protocol';
import { ProtocolClient } from '@hooligram/protocol-client';
import { createRandom, type Random } from '../random.ts';
import { sendRawBytes } from './raw-bytes.ts';
import { soundFrames } from './sound-frames.ts';
import { vandalize } from './vandal.ts';

const timeoutMs = 60_000;
const framesPerConnection = 150;
const framesPerRawConnection = 20;
/** So many connections of the victim's and so many with raw bytes make a round, all at once. */
const connections = 4;
/** So that a vandal's groups and messages stay few, however many frames there are. */
const roundsPerUser = 20;

export type FuzzOptions = {
  readonly url: string;
  readonly frames: number;
  readonly seed: number;
  /** Sids that nobody has. */
  readonly newSid: () => string;
  readonly signal?: AbortSignal;
  /** Called after each round. */
  readonly onRound?: (sent: number) => void | Promise<void>;
};

/**
 * Sends mutated frames and raw bytes to a gateway, and behind it to the cores, while two users chat on.
 * @returns what is wrong, in words; nothing if all went well
 * @throws when the two users cannot go on, or a connection cannot be opened
 */
export async function fuzz({ url, frames, seed, newSid, signal, onRound }: FuzzOptions): Promise<string[]> {
  const random = createRandom(seed);
  const bystanders = await Bystanders.connect(url, [newSid(), newSid()]);
  const problems: string[] = [];
  try {
    let victim = await bystanders.victim(newSid());
    for (let sent = 0, round = 1; sent < frames; round += 1) {
      signal?.throwIfAborted();
      if (round % roundsPerUser === 0) victim = await bystanders.victim(newSid());
      sent += await attack(random, url, victim, problems);
      await bystanders.chat(`round ${round}`);
      await onRound?.(Math.min(sent, frames));
    }
  } finally {
    bystanders.close();
  }
  return problems;
}

type Victim = { readonly sid: string; readonly other: string; readonly groupIds: readonly number[] };

async function attack(
  random: Random,
  url: string,
  { sid, other, groupIds }: Victim,
  problems: string[],
): Promise<number> {
  const known = { ...phoneOf(sid), verification_code: '000000', member_sid: other, group_name: 'fuzz' };
  const frames = groupIds.flatMap((group_id) =>
    soundFrames({ ...known, group_id, member_sids: [sid, other] }),
  );
  // Each has random numbers of its own: which of them draws first depends on the network.
  const ownRandom = () => createRandom(random.integer(0, 2 ** 32 - 1));
  const found = await Promise.all(
    Array.from({ length: connections }, () => {
      const signIn = random.integer(0, 3) > 0 ? sid : undefined;
      return [
        vandalize(ownRandom(), url, { signIn, frames, count: framesPerConnection }),
        sendRawBytes(ownRandom(), url, framesPerRawConnection),
      ];
    }).flat(),
  );
  problems.push(...found.flat());
  return connections * (framesPerConnection + framesPerRawConnection);
}

/** Two users who chat beside it all: what happens to others costs them nothing. */
class Bystanders {
  readonly #url: string;
  readonly #sids: readonly [string, string];
  readonly #ada: ProtocolClient;
  readonly #bob: ProtocolClient;
  readonly #groupId: number;

  private constructor(
    url: string,
    sids: readonly [string, string],
    clients: [ProtocolClient, ProtocolClient],
    id: number,
  ) {
    this.#url = url;
    this.#sids = sids;
    [this.#ada, this.#bob] = clients;
    this.#groupId = id;
  }

  static async connect(url: string, sids: readonly [string, string]): Promise<Bystanders> {
    const clients = [new ProtocolClient(url, { timeoutMs }), new ProtocolClient(url, { timeoutMs })] as const;
    for (const [at, client] of clients.entries()) {
      await client.opened;
      await client.signIn(sids[at] as string);
    }
    const { payload } = await clients[0].requestOk('GROUP_CREATE', { group_name: '', member_sids: sids });
    return new Bystanders(url, sids, [...clients], payload.group_id as number);
  }

  /** Somebody new, in a group with both and known to the frames that follow. */
  async victim(sid: string): Promise<Victim> {
    const client = new ProtocolClient(this.#url, { timeoutMs });
    await client.opened;
    await client.register(sid);
    client.terminate();
    const group = { group_name: 'fuzz', member_sids: [...this.#sids, sid] };
    const { payload } = await this.#ada.requestOk('GROUP_CREATE', group);
    return { sid, other: this.#sids[1], groupIds: [this.#groupId, payload.group_id as number] };
  }

  async chat(content: string): Promise<void> {
    await this.#ada.requestOk('MESSAGING_SEND', { group_id: this.#groupId, content });
    const isIt = (frame: ProtocolClient['frames'][number]) =>
      frame.type === 'MESSAGING_DELIVER_REQUEST' && frame.payload.content === content;
    await this.#bob.next(isIt, `the message "${content}"`);
  }

  close(): void {
    this.#ada.terminate();
    this.#bob.terminate();
  }
}
