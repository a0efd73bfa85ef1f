import { frameBytesReadMax } from '@hooligram/protocol';
import { ConfigError, type ServiceContext, type ServiceDefinition } from '@hooligram/service';
import { type LoadedUws, loadUws } from '@hooligram/uws';
import { gatewayConfig, stopMarginMs } from './config.ts';
import type { GatewayContext } from './context.ts';
import { connectBackplane } from './create-context.ts';
import { drain } from './drain.ts';
import { Session } from './session.ts';
import { createWebSocketServer, type SocketOwner } from './websocket-server.ts';

/** Holds clients' sockets. Knows no database and no rule of groups; any number of replicas, all equal. */
export const gateway: ServiceDefinition<typeof gatewayConfig> = {
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
  let sessions = new Set<Session>();
  /** Of epochs of the database that are over. */
  const leaving = new Set<ReadonlySet<Session>>();
  const server = createWebSocketServer({
    uws,
    path: '/v2',
    frameBytesReadMax,
    backpressureMaxBytes: config.BACKPRESSURE_MAX_BYTES,
    idleTimeoutSeconds: config.IDLE_TIMEOUT_SECONDS,
    addressHeader: config.CLIENT_ADDRESS_HEADER,
    onOpen(socket): SocketOwner {
      const together = sessions;
      const session = new Session(backplane.context, socket);
      together.add(session);
      return {
        onMessage: (bytes) => session.onMessage(bytes),
        onClose() {
          together.delete(session);
          session.onClose();
        },
      };
    },
    onSlow: () => backplane.context.metrics.slowClosed(),
  });
  const spreadMs = config.DRAIN_SECONDS * 1_000;
  const backplane = await connectBackplane(service, server.publish, sendAllAway);
  const all = () => [sessions, ...leaving];
  metrics.observed('gateway_connections', 'Open connections', () =>
    all().reduce((sum, { size }) => sum + size, 0),
  );
  metrics.observed('gateway_people', 'People signed in here', () => backplane.context.people.size);
  metrics.observed('gateway_groups', 'Groups with a connection here', () => backplane.context.groups.size);
  metrics.observed('gateway_requests_pending', 'Requests at the core', () => backplane.requestsPending);
  metrics.observed(
    'gateway_database_epoch',
    'Grows when the database came back older',
    () => backplane.context.epoch,
  );

  lifecycle.onClose('connections', async () => {
    const patienceMs = config.STOP_TIMEOUT_MS - stopMarginMs / 2;
    await Promise.all(all().map((some) => drain(some, { spreadMs, patienceMs })));
    await backplane.context.cursors.flush();
  });
  lifecycle.onClose('listening', () => server.stopListening());
  await server.listen(config.GATEWAY_HOST, config.GATEWAY_PORT, { isShared: true });
  if (config.GATEWAY_OWN_PORT !== undefined) {
    await server.listen(config.GATEWAY_HOST, config.GATEWAY_OWN_PORT, { isShared: false });
  }

  /** What these know is of a history that is gone: new connections are sent what is theirs in the one that is. */
  function sendAllAway(before: GatewayContext, { epoch }: GatewayContext): void {
    const old = sessions;
    sessions = new Set();
    leaving.add(old);
    log.warn(
      { epoch, connections: old.size },
      'the database has come back with another history: clients are sent away',
    );
    void drain(old, { spreadMs, patienceMs: spreadMs + stopMarginMs }).then(() => {
      leaving.delete(old);
      before.cursors.close();
      before.lag.close();
    });
  }
}

function load(choice: string): LoadedUws {
  try {
    return loadUws(choice);
  } catch (error) {
    throw new ConfigError((error as Error).message);
  }
}
