#!/usr/bin/env node
// Sends frames from standard input, one a line, and prints every frame that comes: curl for Protocol V2.
//
//   node examples/terminal/frames.mjs ws://127.0.0.1:8081/v2 [--until TYPE] [--for MS]
//
// A frame waits for the answer to the request before it, 10 seconds at most: not every frame gets one. Behind the last
// line it listens until a frame of TYPE has come, but no longer than MS (1000).
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';

const { values, positionals } = parseArgs({
  options: { until: { type: 'string' }, for: { type: 'string', default: '1000' } },
  allowPositionals: true,
});
const [url = 'ws://127.0.0.1:8080/v2'] = positionals;

const answerTimeoutMs = 10_000;

const socket = new WebSocket(url);
let waitsFor;
let answered;
let isInputOver = false;
let hasCome = false;

socket.on('message', (data) => {
  const text = String(data);
  process.stdout.write(`${text}\n`);
  const { id, type } = JSON.parse(text);
  // Only an answer has this id and another ending.
  if (id === waitsFor && !type.endsWith('_REQUEST')) answered?.();
  if (type === values.until) hasCome = true;
  if (hasCome && isInputOver) socket.close(1000);
});
socket.on('error', ({ message }) => {
  process.stderr.write(`${url}: ${message}\n`);
  process.exitCode = 1;
});
socket.on('close', (code, reason) => {
  process.stderr.write(`closed: ${code} ${reason}\n`);
  process.exit();
});
socket.on('open', async () => {
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() !== '') await send(line);
  }
  isInputOver = true;
  setTimeout(() => socket.close(1000), hasCome ? 0 : Number(values.for));
});

async function send(line) {
  socket.send(line);
  if (!/"type" *: *"[A-Z_]+_REQUEST"/.test(line)) return;
  waitsFor = JSON.parse(line).id;
  await new Promise((resolve) => {
    const timer = setTimeout(resolve, answerTimeoutMs);
    answered = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}
