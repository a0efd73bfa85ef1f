import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const key = 'dGhlIHNhbXBsZSBub25jZQ==';

/** What a client sends to upgrade; a header that is undefined is left out. */
export function upgradeRequest({
  path = '/v2',
  method = 'GET',
  version = '1.1',
  ...headers
}: Record<string, string | undefined> = {}): string {
  const sent = {
    Host: 'localhost',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': key,
    'Sec-WebSocket-Version': '13',
    ...headers,
  };
  const lines = Object.entries(sent).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  );
  return `${[`${method} ${path} HTTP/${version}`, ...lines].join('\r\n')}\r\n\r\n`;
}

export type RawAnswer = {
  /** 0 when the connection was closed without an answer. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly socket: Socket;
};

/**
 * Sends bytes to a gateway, and reads the first answer to its end, or until the connection is closed.
 * @param pieceBytes how much is sent at a time; everything at once if undefined
 */
export async function ask(url: string, request: string, pieceBytes?: number): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname.replace(/^\[|\]$/g, ''));
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  const answered = readAnswer(socket);
  const step = pieceBytes ?? request.length;
  for (let start = 0; start < request.length && socket.writable; start += step) {
    await new Promise((resolve) => socket.write(request.slice(start, start + step), resolve));
  }
  return answered;
}

function readAnswer(socket: Socket): Promise<RawAnswer> {
  let text = '';
  return new Promise((resolve) => {
    const answer = () => {
      const [head = '', ...rest] = text.split('\r\n\r\n');
      const [statusLine = '', ...lines] = head.split('\r\n');
      const headers = Object.fromEntries(
        lines.map((line) => [
          line.split(':')[0]?.toLowerCase() ?? '',
          line.slice(line.indexOf(':') + 1).trim(),
        ]),
      );
      return { status: Number(statusLine.split(' ')[1] ?? 0), headers, body: rest.join('\r\n\r\n'), socket };
    };
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (!text.includes('\r\n\r\n')) return;
      const { headers, status, body } = answer();
      const isWhole =
        status === 101 || body.length >= Number(headers['content-length'] ?? Number.POSITIVE_INFINITY);
      if (isWhole) resolve(answer());
    });
    socket.on('close', () => resolve(answer()));
  });
}

/** A masked WebSocket frame, as clients send it. */
export function clientFrame(opcode: number, data: Uint8Array | string, isLast = true): Buffer {
  const bytes = Buffer.from(data as string);
  if (bytes.length > 125) throw new Error('a short frame only');
  const mask = [1, 2, 3, 4];
  const masked = bytes.map((byte, index) => byte ^ (mask[index % 4] as number));
  return Buffer.from([(isLast ? 0x80 : 0) | opcode, 0x80 | bytes.length, ...mask, ...masked]);
}
