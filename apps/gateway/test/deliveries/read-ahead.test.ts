import type { StoredMessage } from '@hooligram/contract';
import type { uWS } from '@hooligram/uws';
import { afterEach, expect, test } from '@jest/globals';
import { ClientSocket } from '../../src/client-socket.ts';
import { acknowledgeMessage } from '../../src/delivery/acknowledge.ts';
import { SocketBuffers } from '../../src/socket-buffers.ts';
import { gatewayWith, userId } from '../bare-gateway.ts';

const groups = 4;
const pageBytesMax = 256 * 1_024;
/** As much as the kernel takes of what nobody reads. */
const kernelBytes = 100_000;

type Replay = { readonly messages: number; readonly bytes: number; readonly REPLAY_WINDOW: number };

let close = () => {};
afterEach(() => close());

/** A user who was sent so many messages of so many bytes in each of four groups, and a client that reads when it is told to. */
function slowClient({ messages, bytes, REPLAY_WINDOW }: Replay, buffersBytesMax = 100_000_000) {
  const gateway = gatewayWith(groups, 2, 60_000, { REPLAY_WINDOW, REPLAY_WINDOW_BYTES: 10_000_000 });
  close = gateway.close;
  const ids = Array.from({ length: groups }, (_, at) => at + 1);
  const read: number[] = [];
  gateway.answers.REPLAY_GROUPS = ({ group_ids }) => ({
    memberships: group_ids.map((group_id) => ({
      ...{ group_id, version: 1, closed: false, joined_seq: 0, last_seq: messages },
      ...{ delivered_seq: 0, delivered_version: 0, retried_version: 0 },
    })),
  });
  gateway.answers.REPLAY_PAGE = ({ group_id, after_seq, limit = messages }) => {
    const count = Math.min(limit, messages - after_seq, Math.floor(pageBytesMax / bytes));
    const page = Array.from({ length: count }, (_, at): StoredMessage => {
      const id = group_id * 1_000 + after_seq + at + 1;
      return [after_seq + at + 1, id, `${id} `.padEnd(bytes, 'x')];
    });
    read.push(count * bytes);
    return { group_id, version: 1, last_seq: messages, through_seq: after_seq + count, messages: page };
  };
  const buffers = new SocketBuffers(buffersBytesMax);
  const sent: number[] = [];
  let stateBytes = 0;
  let unread = 0;
  let kernel = 0;
  const take = ({ length }: string | Uint8Array) => {
    const taken = unread > 0 ? 0 : Math.min(length, kernelBytes - kernel);
    kernel += taken;
    unread += length - taken;
    return unread > 0 ? 0 : 1;
  };
  const send = (frame: string | Uint8Array) => {
    const [, id] = /^(\d+) x/.exec(String(frame)) ?? [];
    if (id) sent.push(Number(id));
    else stateBytes += frame.length;
    return take(frame);
  };
  const ws = {
    cork: (write: () => void) => write(),
    ...{ send, sendFirstFragment: send, sendFragment: take, sendLastFragment: take },
    getBufferedAmount: () => unread,
    subscribe() {},
    unsubscribe() {},
    close: () => {
      buffers.remove(socket);
      socket.onClosed();
    },
  } as unknown as uWS.WebSocket<unknown>;
  const socket = new ClientSocket(ws, '127.0.0.1', {
    onSlow() {},
    onBuffered: (which, more) => buffers.move(which, more),
    close: (closeNow) => closeNow(),
  });
  buffers.add(socket);
  const connection = gateway.context.users.signIn(socket, userId, '1.0');
  let acknowledged = 0;
  return {
    buffers,
    sent,
    socket,
    /** Of messages, in all pages that were read. */
    readBytes: () => read.reduce((sum, page) => sum + page, 0),
    /** Of states, which were sent before them. */
    stateBytes: () => stateBytes,
    join: () => gateway.context.groups.joinAll(connection, ids),
    /** Reads all that was sent, and acknowledges it. */
    reads() {
      unread = 0;
      kernel = 0;
      socket.onDrain();
      for (; acknowledged < sent.length; acknowledged += 1) {
        acknowledgeMessage(gateway.context, connection, sent[acknowledged] as number);
      }
    },
  };
}

/** All that needs no client has happened by then: the fake core answers at once. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

test('of all groups of a client that reads nothing one page is read ahead, and it gets everything in order when it reads', async () => {
  const replay = { messages: 128, bytes: 4_000, REPLAY_WINDOW: 1_024 };
  const { join, sent, reads, readBytes } = slowClient(replay);
  void join();
  await settled();
  expect(sent.length).toBeGreaterThan(0);
  expect(readBytes() - sent.length * replay.bytes).toBeLessThanOrEqual(pageBytesMax);
  expect(readBytes()).toBeLessThan(2 * pageBytesMax);
  while (sent.length < groups * replay.messages) {
    const before = sent.length;
    reads();
    await settled();
    expect(sent.length).toBeGreaterThan(before);
  }
  for (let group = 1; group <= groups; group += 1) {
    const ofGroup = sent.filter((id) => Math.floor(id / 1_000) === group).map((id) => id % 1_000);
    expect(ofGroup).toEqual(Array.from({ length: replay.messages }, (_, at) => at + 1));
  }
});

/** Four pages of four such messages, which were guessed to be small. */
const larger = { messages: 4, bytes: 60_000, REPLAY_WINDOW: 16 };

test('pages that turn out larger than the socket has room for are counted while they wait for their client', async () => {
  const { join, sent, socket, reads, readBytes, stateBytes, buffers } = slowClient(larger);
  void join();
  await settled();
  const waiting = readBytes() + stateBytes() - kernelBytes;
  expect(readBytes()).toBe(groups * larger.messages * larger.bytes);
  expect(sent.length * larger.bytes).toBeLessThan(readBytes());
  expect(buffers.bytes).toBe(waiting);
  expect(socket.waitingBytes).toBe(buffers.bytes);
  while (sent.length < groups * larger.messages) {
    reads();
    await settled();
  }
  reads();
  expect(buffers.bytes).toBe(0);
});

test('a client that leaves too many of those waiting is cut, and nothing is counted of it any more', async () => {
  const { join, socket, buffers } = slowClient(larger, 600_000);
  void join();
  await settled();
  expect(socket.isOpen).toBe(false);
  expect(buffers.bytes).toBe(0);
});
