// CPU that a delivery costs a client which acknowledges it: with the load generator's own WebSocket, and with `ws`.
// Run by hand after a build, from any folder: node tools/bench/test/websocket-cost.mjs
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { loadUws } from '@hooligram/uws';
import { WebSocket } from 'ws';
import { LoadWebSocket } from '../dist/load/websocket.js';

const connections = 100;
const bursts = 200;
const burstDeliveries = 20;
const content = '00000001 the quick brown fox jumps over the lazy dog, and so on';
const payload = { content, date_created: new Date().toISOString(), group_id: 12, message_id: 123456 };
const delivery = JSON.stringify({ id: 'm123456', type: 'MESSAGING_DELIVER_REQUEST', payload });
const acknowledgement = '{"id":"1","type":"MESSAGING_DELIVER_SUCCESS","payload":{"message_id":123456}}';

const [role, library, port] = process.argv.slice(2);
if (role === 'server') serve();
else if (role === 'client') connect(library, `ws://127.0.0.1:${port}/v2`);
else for (const name of ['own', 'ws', 'own', 'ws', 'own', 'ws']) await measure(name);

/** One server and one client process. */
async function measure(name) {
  const program = fileURLToPath(import.meta.url);
  const server = fork(program, ['server']);
  let client;
  await new Promise((resolve) => {
    server.on('message', (message) => {
      if (!message.port) return client.send(message);
      client = fork(program, ['client', name, message.port]);
      client.on('message', ({ us }) => {
        process.stdout.write(`${name}: ${us.toFixed(2)} µs\n`);
        resolve();
      });
    });
  });
  server.kill();
}

/** Sends a burst to every connection, and the next one when all of it is acknowledged. */
function serve() {
  const { uWS } = loadUws();
  let open = 0;
  let acknowledged = 0;
  const app = uWS.App().ws('/v2', {
    maxBackpressure: 1_000_000_000,
    open(ws) {
      ws.subscribe('all');
      open += 1;
      if (open < connections) return;
      process.send('begin');
      setTimeout(burst, 200);
    },
    message() {
      acknowledged += 1;
      if (acknowledged === connections * bursts * burstDeliveries) process.send('end');
      else if (acknowledged % (connections * burstDeliveries) === 0) burst();
    },
  });
  const burst = () => {
    for (let count = 0; count < burstDeliveries; count += 1) app.publish('all', delivery);
  };
  app.listen('127.0.0.1', 0, (socket) => process.send({ port: uWS.us_socket_local_port(socket) }));
}

function connect(name, url) {
  let received = 0;
  let before;
  const read = (text, start) => {
    if (text.indexOf('"message_id":', start) > 0) received += 1;
  };
  for (let count = 0; count < connections; count += 1) {
    if (name === 'own') {
      const onText = (chunk, start) => {
        read(chunk, start);
        socket.send(acknowledgement);
      };
      const socket = new LoadWebSocket(url, { onOpen() {}, onText, onClose() {} });
    } else {
      // The cheapest that `ws` can do: no validation of UTF-8, no random mask.
      const options = { perMessageDeflate: false, skipUTF8Validation: true, generateMask() {} };
      const socket = new WebSocket(url, options);
      socket.on('message', (bytes) => {
        read(bytes.latin1Slice(0, bytes.length), 0);
        socket.send(acknowledgement);
      });
    }
  }
  process.on('message', (order) => {
    if (order === 'begin') before = process.cpuUsage();
    else {
      const { user, system } = process.cpuUsage(before);
      process.send({ us: (user + system) / received }, () => process.exit());
    }
  });
}
