import { frameBytesReadMax } from '@hooligram/protocol';
import { ConfigError, type Metrics, type ServiceContext, type ServiceDefinition } from '@hooligram/service';
import { type LoadedUws, loadUws } from '@hooligram/uws';
import { createBudgets, observeBudgets } from './budgets.ts';
import { Bus } from './bus.ts';
import { TrustedProxies } from './client-address.ts';
import { gatewayConfig, stopMarginMs } from './config.ts';
import { tooManyOfAddress } from './limits/handshake-refusals.ts';
import { createGatewayMetrics } from './metrics.ts';
import { Sessions } from './sessions.ts';
import { renewOnHangup, tlsFilesOf } from './tls.ts';
import { WebSocketServer } from './websocket-server.ts';

/** Holds clients' sockets. Knows no database and no rule of groups; any number of replicas, all equal. */
export const gateway: ServiceDefinition<typeof gatewayConfig> = {
  name: 'gateway',
  summary: "holds the clients' sockets of Hooligram",
  config: gatewayConfig,
  start,
};

async function start(service: ServiceContext<typeof gatewayConfig>): Promise<void> {
  const { config, lifecycle, log } = service;
  const metrics = createGatewayMetrics(service.metrics);
  const budgets = createBudgets(config, metrics, log);
  const tls = tlsFilesOf(config);
  const server = new WebSocketServer(loadServer(service), budgets.socketBuffers, tls);
  const sessions = new Sessions(config.DRAIN_SECONDS * 1_000);
  const bus = await Bus.connect({
    service,
    metrics,
    publish: server.publish,
    budgets,
    onEpoch: (before, now) => sessions.onEpoch(before, now),
  });
  observe(service.metrics, bus, sessions);
  observeBudgets(service.metrics, budgets);
  server.serve({
    path: '/v2',
    frameBytesReadMax,
    backpressureMaxBytes: config.BACKPRESSURE_MAX_BYTES,
    idleTimeoutSeconds: config.IDLE_TIMEOUT_SECONDS,
    trustedProxies: new TrustedProxies(config.TRUSTED_PROXIES ?? []),
    allowedOrigins: config.ALLOWED_ORIGINS,
    handshakesPerSecondMax: config.HANDSHAKES_PER_SECOND_MAX,
    onOpen: (socket) => sessions.open(bus.context, socket),
    onSlow: (cause) => metrics.slowClosed.inc({ cause }),
    refusalOf: (address) =>
      budgets.clientLimits?.admits(address) === false ? tooManyOfAddress() : undefined,
    onHandshakeRefused: () => metrics.handshakesRefused.inc(),
    onOriginRefused: (origin) => {
      metrics.originsRefused.inc();
      log.warn({ origin }, 'connection of a web page refused: its origin is not among ALLOWED_ORIGINS');
    },
    onForwardedIgnored: (peer) => {
      metrics.forwardedIgnored.inc();
      log.warn({ peer }, 'ignored whom a client connects for: its address is not among TRUSTED_PROXIES');
    },
  });
  lifecycle.onClose('connections', async () => {
    await sessions.drain(config.STOP_TIMEOUT_MS - stopMarginMs / 2);
    await bus.context.cursorWriter.flush();
  });
  lifecycle.onClose('listening', () => server.stopListening());
  await server.listen(config.GATEWAY_HOST, config.GATEWAY_PORT, { isShared: true });
  if (config.GATEWAY_OWN_PORT !== undefined) {
    await server.listen(config.GATEWAY_HOST, config.GATEWAY_OWN_PORT, { isShared: false });
  }
  if (tls) renewOnHangup(tls, service, () => server.renewTls());
}

/** @throws ConfigError when this machine cannot load the chosen release */
function loadServer({ config, log, metrics }: ServiceContext<typeof gatewayConfig>): LoadedUws {
  const uws = load(config.UWEBSOCKETS);
  log.info({ uwebsockets: uws.version, node: process.versions.node }, 'uWebSockets.js loaded');
  metrics
    .gauge('build_info', 'What this process runs on; always 1', ['node', 'uwebsockets'])
    .set({ node: process.versions.node, uwebsockets: uws.version }, 1);
  return uws;
}

function load(choice: string): LoadedUws {
  try {
    return loadUws(choice);
  } catch (error) {
    throw new ConfigError((error as Error).message);
  }
}

function observe(metrics: Metrics, bus: Bus, sessions: Sessions): void {
  metrics.observed('gateway_connections', 'Open connections', () => sessions.size);
  metrics.observed('gateway_users', 'Users signed in here', () => bus.context.users.size);
  metrics.observed('gateway_groups', 'Groups with a connection here', () => bus.context.groups.size);
  metrics.observed(
    'gateway_requests_pending',
    'Requests at the core that wait for their answer',
    () => bus.requestsPending,
  );
  metrics.observed(
    'gateway_request_stream_bytes',
    'Bytes of the request stream when this gateway last wrote to it',
    () => bus.requestStreamBytes,
  );
  metrics.observed(
    'gateway_answer_credit_bytes',
    'Bytes of pages, states and memberships that may be on their way from the cores',
    () => bus.credit.bytes,
  );
  metrics.observed(
    'gateway_answer_credit_waiting',
    'Requests that wait until more of them may be on their way',
    () => bus.credit.waiting,
  );
  metrics.observed(
    'gateway_database_epoch',
    'Grows when the database came back with an older history',
    () => bus.context.epoch,
  );
}
