import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';

/** Of this machine in the network of the containers: one of those that Docker uses. */
const hostAddress = '172.30.99.1';

/** Runs a program to its end. @throws Error when it fails */
export function sh(command, ...args) {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
}

/** Makes the network. The process has one of its own: nothing of this machine changes. @returns where names are asked for */
export function prepareNetwork() {
  // Where the names of networks are kept, and Postgres' socket.
  sh('mount', '-t', 'tmpfs', 'tmpfs', '/run');
  sh('install', '-d', '-m', '777', '/run/postgresql');
  sh('ip', 'link', 'set', 'lo', 'up');
  sh('ip', 'link', 'add', 'br0', 'type', 'bridge');
  sh('ip', 'addr', 'add', `${hostAddress}/24`, 'dev', 'br0');
  sh('ip', 'link', 'set', 'br0', 'up');
  return hostAddress;
}

/** Makes a network namespace with that name. @returns its address */
export function connectContainer(name, number) {
  const address = hostAddress.replace(/1$/, String(number));
  sh('ip', 'netns', 'add', name);
  sh('ip', 'link', 'add', `v${number}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
  sh('ip', 'link', 'set', `v${number}`, 'master', 'br0', 'up');
  sh('ip', '-n', name, 'link', 'set', 'lo', 'up');
  sh('ip', '-n', name, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
  sh('ip', '-n', name, 'link', 'set', 'eth0', 'up');
  return address;
}

/** Answers for the names of containers, as Docker's own server does; a name may have several addresses. */
export function serveNames(addresses) {
  const server = createSocket('udp4');
  server.on('message', (query, { port, address }) => {
    const labels = [];
    let at = 12;
    for (let size = query[at] ?? 0; size > 0; size = query[at] ?? 0) {
      labels.push(query.toString('latin1', at + 1, at + 1 + size));
      at += 1 + size;
    }
    const question = query.subarray(12, at + 5);
    const known = addresses.get(labels.join('.').toLowerCase());
    // Type 1 is an IPv4 address.
    const found = query.readUInt16BE(at + 1) === 1 ? (known ?? []) : [];
    const head = Buffer.alloc(12);
    query.copy(head, 0, 0, 2);
    head.writeUInt16BE(known ? 0x8580 : 0x8583, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(found.length, 6);
    const records = found.map((ip) =>
      Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, ...ip.split('.').map(Number)]),
    );
    server.send(Buffer.concat([head, question, ...records]), port, address);
  });
  return new Promise((done) => server.bind(53, hostAddress, done));
}
