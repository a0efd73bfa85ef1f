import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Random } from '../random.ts';

const upgrade = [
  'GET /v2 HTTP/1.1',
  'Host: localhost',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
];
const quietMs = 100;

/**
 * Sends bytes that are hardly WebSocket: a damaged handshake, or frames of any opcode, flags, length and mask.
 * Everything may be refused or cut; the frames that come back must be none that answers an id which was never sent.
 * @returns what is wrong, in words
 */
export async function sendRawBytes(random: Random, url: string, count: number): Promise<string[]> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let received = '';
  socket.on('error', () => undefined);
  socket.on('data', (data: Buffer) => {
    received += data.toString('latin1');
  });
  await once(socket, 'connect');
  const isSound = random.integer(0, 3) > 0;
  socket.write(isSound ? `${upgrade.join('\r\n')}\r\n\r\n` : damagedUpgrade(random));
  // Some send at once, the others when they are answered.
  if (random.integer(0, 1) === 1) await quietOrClosed(socket);
  for (let n = 0; n < count && socket.writable; n += 1) socket.write(randomFrame(random));
  await quietOrClosed(socket);
  socket.destroy();
  const ids = [...received.matchAll(/"id":"([^"]*)"/g)].map(([, id = '']) => id);
  return ids
    .filter((id) => id !== '' && id !== 'raw')
    .map((id) => `a frame with the id ${id} came to raw bytes`);
}

/** Until nothing has come for a while: what is not answered shows in nothing else. */
async function quietOrClosed(socket: Socket): Promise<void> {
  socket.setTimeout(quietMs);
  await Promise.race([once(socket, 'timeout'), once(socket, 'close')]).catch(() => undefined);
}

function damagedUpgrade(random: Random): Buffer {
  const lines = upgrade.filter(() => random.integer(0, 9) > 0);
  const bytes = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
  for (let damage = random.integer(0, 4); damage > 0; damage -= 1) {
    bytes[random.integer(0, bytes.length - 1)] = random.integer(0, 255);
  }
  return bytes.subarray(0, random.integer(1, bytes.length));
}

const keepAlive = Buffer.from('{"id":"raw","type":"CONN_KEEP_ALIVE_REQUEST","payload":{}}');

/** A head with any flags, opcode, way of writing the length, and mask; a length that is true, too long or huge. */
function randomFrame(random: Random): Buffer {
  const body = random.integer(0, 1) === 1 ? keepAlive : randomBytes(random, random.integer(0, 200));
  const flags = random.pick([0x80, 0x80, 0x80, 0x00, random.integer(0, 15) << 4]);
  const opcode = random.pick([1, 1, 2, 0, 8, 9, 10, random.integer(0, 15)]);
  const isMasked = random.integer(0, 7) > 0;
  const length = random.integer(0, 7) > 0 ? body.length : random.pick([0, 126, 65_536, 2 ** 20, 2 ** 31]);
  const mask = isMasked ? randomBytes(random, 4) : Buffer.alloc(0);
  const masked = body.map((byte, at) => byte ^ (mask[at % 4] ?? 0));
  return Buffer.concat([Buffer.from([flags | opcode]), lengthBytes(random, length, isMasked), mask, masked]);
}

function lengthBytes(random: Random, length: number, isMasked: boolean): Buffer {
  const bit = isMasked ? 0x80 : 0;
  // Some say a short length in the long way.
  const isLonger = random.integer(0, 15) === 0;
  if (length < 126 && !isLonger) return Buffer.from([bit | length]);
  if (length < 65_536) return Buffer.from([bit | 126, length >> 8, length & 255]);
  const bytes = Buffer.alloc(9);
  bytes[0] = bit | 127;
  bytes.writeBigUInt64BE(BigInt(length), 1);
  return bytes;
}

function randomBytes(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.integer(0, 255)));
}
