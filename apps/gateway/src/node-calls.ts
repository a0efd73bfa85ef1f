import { type GatewayStatus, handleNodeCall, type NodeCallHandlers, readStopping } from '@hooligram/contract';
import { closeReasons } from '@hooligram/protocol';
import { createProcessStatus, type ServiceContext } from '@hooligram/service';
import type { Bus } from './bus.ts';
import type { gatewayConfig } from './config.ts';
import type { Sessions } from './sessions.ts';
import type { Shard } from './shard.ts';
import type { Steering } from './steering.ts';

type ReplyThrough = Pick<Shard, 'publish'>;

/** Does what operators ask of this gateway, from the moment on when it has a bus. */
export function createNodeCalls(
  service: ServiceContext<typeof gatewayConfig>,
  sessions: Sessions,
  steering: Steering,
) {
  const { log } = service;
  let connected: { readonly bus: Bus; readonly handlers: NodeCallHandlers } | undefined;

  async function handle(bytes: Buffer, replyThrough: ReplyThrough): Promise<void> {
    if (!connected) return;
    const { bus, handlers } = connected;
    const me = { node: bus.node, role: 'gateway', replyChannels: bus.names.operator('') } as const;
    const handled = await handleNodeCall(bytes, me, handlers);
    if (!handled) return;
    const { type, body } = handled.reply;
    if (type !== 'STATUS' && type !== 'WHEREABOUTS')
      log.warn({ call: type, result: body }, 'an operator called');
    replyThrough.publish(handled.channel, handled.reply);
  }

  return {
    receive(bytes: Buffer, replyThrough: ReplyThrough): void {
      const stopping = readStopping(bytes);
      if (stopping !== undefined) {
        service.nodes.stopped(stopping);
        return;
      }
      handle(bytes, replyThrough).catch((error: Error) =>
        log.warn({ reason: error.message }, 'unreadable call of an operator'),
      );
    },
    open(bus: Bus): void {
      connected = { bus, handlers: handlersOf(service, bus, sessions, steering) };
    },
  };
}

function handlersOf(
  service: ServiceContext<typeof gatewayConfig>,
  bus: Bus,
  sessions: Sessions,
  steering: Steering,
): NodeCallHandlers {
  const processStatus = createProcessStatus(service);
  const gateway = (): GatewayStatus => ({
    connections: sessions.size,
    users: bus.context.users.size,
    groups: bus.context.groups.size,
    requests_pending: bus.requestsPending,
    drain: steering.status,
  });
  return {
    STATUS: async () => ({ ...(await processStatus()), gateway: gateway(), signing_keys: bus.signingKeys }),
    DRAIN: ({ rate_max }) => steering.drain(rate_max),
    DRAIN_STOP: () => steering.stop(),
    SHED: ({ connections, rate_max }) => steering.shed(connections, rate_max),
    WHEREABOUTS: ({ user_ids, group_id }) => ({
      users: user_ids.flatMap((user_id) => {
        const user = bus.context.users.find(user_id);
        if (!user) return [];
        const cursor = group_id === null ? undefined : user.cursorIn(group_id);
        return [
          { user_id, connections: user.connections.length, delivered_seq: cursor?.deliveredSeq ?? null },
        ];
      }),
    }),
    SESSIONS_END: ({ user_id }) => {
      const connections = bus.context.users.connectionsOf(user_id);
      for (const { socket } of connections) socket.end(closeReasons.credentialEnded);
      return { closed: connections.length };
    },
  };
}
