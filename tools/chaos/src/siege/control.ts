import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { giveWay } from '@hooligram/testkit';

// The control of an attack: a process that uses as much CPU as the attacker had, gives way as it did, and sends nothing to any
// server of ours. What honest messages take longer beside it is the machine's, that attackers share
// with those whom they attack, and not the attack's.

const chunk = Buffer.alloc(65_536);
/** Time in which it has its share: attackers wait, too, and then do what has come meanwhile. */
const windowMs = 100;
const restMs = 5;

/** @returns milliseconds of CPU so far */
function usedMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Resolves when a chunk has come back that was sent to this process over the loopback. */
function exchange(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    let missing = chunk.length;
    const take = ({ length }: Buffer) => {
      missing -= length;
      if (missing > 0) return;
      socket.off('data', take);
      resolve();
    };
    socket.on('data', take);
    socket.write(chunk);
  });
}

/** @param share seconds of CPU a second */
async function use(share: number): Promise<never> {
  const echo = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const address = echo.address();
  const socket = connect(typeof address === 'object' && address ? address.port : 0, '127.0.0.1');
  await once(socket, 'connect');
  process.send?.({ started: true });
  for (;;) {
    const [fromMs, usedBeforeMs] = [performance.now(), usedMs()];
    while (performance.now() - fromMs < windowMs) {
      if (usedMs() - usedBeforeMs < share * (performance.now() - fromMs)) await exchange(socket);
      else await pause(restMs);
    }
  }
}

giveWay();
process.on('disconnect', () => process.exit());
process.once('message', ({ share }: { share: number }) => {
  process.on('message', () => process.send?.({ cpuSeconds: usedMs() / 1_000 }));
  void use(share);
});
