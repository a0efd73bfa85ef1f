import type { Redis } from 'ioredis';

type Command = Parameters<Redis['sendCommand']>[0];

/** What each of these is called in a Redis Cluster, where a publication without shard goes to every node. */
const sharded: Readonly<Record<string, string>> = {
  publish: 'spublish',
  subscribe: 'ssubscribe',
  unsubscribe: 'sunsubscribe',
};

/** What stands behind each channel of a connection, so that it is in the slot of its shard. */
const endings = new WeakMap<Redis, string>();

/**
 * Has a connection to a node of a Redis Cluster publish and subscribe to sharded channels wherever it is asked to for
 * others. Behind the names of these the shard's hash tag stands: those who use the connection see it as little as the other
 * commands.
 *
 * @param onMoved called once a connection, when the node says that it has the channels no longer, or never had them
 */
export function useShardedChannels(redis: Redis, tag: string, onMoved: () => void): void {
  const ending = `{${tag}}`;
  endings.set(redis, ending);
  const send = redis.sendCommand.bind(redis);
  redis.sendCommand = (command, stream) => {
    const isList = command.name === 'pubsub' && command.args[0] === 'CHANNELS';
    translate(command, ending);
    const sent = send(command, stream);
    if (!isList) return sent;
    return (sent as Promise<string[]>).then((channels) =>
      channels.map((one) => one.slice(0, -ending.length)),
    );
  };
  redis.on('smessageBuffer', (channel: Buffer, bytes: Buffer) => {
    redis.emit('messageBuffer', channel.subarray(0, channel.length - ending.length), bytes);
  });
  // Said once for each channel.
  let hasMoved = false;
  redis.on('moved', () => {
    if (!hasMoved) onMoved();
    hasMoved = true;
  });
  redis.on('close', () => {
    hasMoved = false;
  });
}

/** How a script publishes over this connection: the command, and the channel as it is called there. */
export function publishingOver(redis: Redis, channel: string): [command: string, channel: string] {
  const ending = endings.get(redis);
  return ending === undefined ? ['PUBLISH', channel] : ['SPUBLISH', channel + ending];
}

/** Changes a command in place, once: what ioredis sends again has its new name. */
function translate(command: Command, ending: string): void {
  const name = sharded[command.name];
  const { args } = command;
  if (name !== undefined) {
    command.name = name;
    const channels = name === 'spublish' ? 1 : args.length;
    for (let at = 0; at < channels; at += 1) args[at] = `${args[at]}${ending}`;
  } else if (command.name === 'pubsub' && (args[0] === 'NUMSUB' || args[0] === 'CHANNELS')) {
    args[0] = `SHARD${args[0]}`;
    for (let at = 1; at < args.length; at += 1) args[at] = `${args[at]}${ending}`;
  }
}
