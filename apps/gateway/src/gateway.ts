import { frameBytesReadMax } from '@hooligram/protocol';
import { ConfigError, type ServiceContext, type ServiceDefinition } from '@hooligram/service';
import { type LoadedUws, loadUws } from '@hooligram/uws';
import { connectBackplane } from './backplane.ts';
import { gatewayConfig, stopMarginMs } from './config.ts';
import { drain } from './drain.ts';
import { Session } from './session.ts';
import { createWebSocketServer, type SocketOwner } from './websocket.ts';

/** Holds clients' sockets. Knows no database and no rule of groups; any number of replicas, all equal. */
export const gateway: ServiceDefinition<typeof gatewayConfig, void> = {
  name: 'gateway',
  summary: "holds the clients' sockets of Hooligram",
  config: gatewayConfig,
  start,
};

async function start(service: ServiceContext<typeof gatewayConfig>): Promise<void> {
  const { config, lifecycle, log, metrics } = service;
  const uws = load(config.UWEBSOCKETS);
  log.info({ uwebsockets: uws.version, node: process.versions.node }, 'uWebSockets.js loaded');
  metrics
    .gauge('build_info', 'What this process runs on; always 1', ['node', 'uwebsockets'])
    .set({ node: process.versions.node, uwebsockets: uws.version }, 1);
  const sessions = new Set<Session>();
  const server = createWebSocketServer({
    uws,
    path: '/v2',
    frameBytesReadMax,
    backpressureMaxBytes: config.BACKPRESSURE_MAX_BYTES,
    idleTimeoutSeconds: config.IDLE_TIMEOUT_SECONDS,
    addressHeader: config.CLIENT_ADDRESS_HEADER,
    onOpen(socket): SocketOwner {
      const session = new Session(context, socket);
      sessions.add(session);
      return {
        onMessage: (bytes) => session.onMessage(bytes),
        onClose() {
          sessions.delete(session);
          session.onClose();
        },
      };
    },
    onSlow: () => context.metrics.slowClosed(),
  });
  const context = await connectBackplane(service, server.publish);
  metrics.observed('gateway_connections', 'Open connections', () => sessions.size);
  metrics.observed('gateway_people', 'People signed in here', () => context.people.size);
  metrics.observed('gateway_groups', 'Groups with a connection here', () => context.groups.size);
  metrics.observed('gateway_requests_pending', 'Requests at the core', () => context.core.pending);

  lifecycle.onClose('connections', async () => {
    const patienceMs = config.STOP_TIMEOUT_MS - stopMarginMs / 2;
    await drain(sessions, { spreadMs: config.DRAIN_SECONDS * 1_000, patienceMs });
    await context.cursors.flush();
  });
  lifecycle.onClose('listening', () => server.stopListening());
  await server.listen(config.GATEWAY_HOST, config.GATEWAY_PORT, { isShared: true });
  if (config.GATEWAY_OWN_PORT !== undefined) {
    await server.listen(config.GATEWAY_HOST, config.GATEWAY_OWN_PORT, { isShared: false });
  }
}

function load(choice: string): LoadedUws {
  try {
    return loadUws(choice);
  } catch (error) {
    throw new ConfigError((error as Error).message);
  }
}
