import { setTimeout as pause } from 'node:timers/promises';
import { contractVersion, encodeStopping } from '@hooligram/contract';
import { frameBytesReadMax } from '@hooligram/protocol';
import {
  ConfigError,
  createLog,
  createTraceMetrics,
  joinConfig,
  type Metrics,
  networkOf,
  openTracer,
  readConfig,
  redisAddresses,
  release,
  type ServiceContext,
  type ServiceDefinition,
  serviceConfig,
} from '@hooligram/service';
import { type LoadedUws, loadUws } from '@hooligram/uws';
import { createBudgets, observeBudgets } from './budgets.ts';
import { Bus } from './bus.ts';
import { TrustedProxies } from './client-address.ts';
import { gatewayConfig, stopMarginMs } from './config.ts';
import { MessageTraces } from './delivery/message-traces.ts';
import { ConnectionRoom } from './limits/connection-room.ts';
import { gatewayFull } from './limits/handshake-refusals.ts';
import { countClosed, createGatewayGauges, createGatewayMetrics } from './metrics.ts';
import { createNodeCalls } from './node-calls.ts';
import { Sessions } from './sessions.ts';
import { startLevelling } from './start-levelling.ts';
import { Steering } from './steering.ts';
import { renewOnHangup, tlsFilesOf } from './tls.ts';
import { WebSocketServer } from './websocket-server.ts';

/** Holds clients' sockets. Knows no database and no rule of groups; any number of replicas, all equal. */
export const gateway: ServiceDefinition<typeof gatewayConfig> = {
  name: 'gateway',
  summary: "holds the clients' sockets of Hooligram",
  config: gatewayConfig,
  metrics,
  start,
};

/** Every metric of a gateway, for `--metrics`. */
function metrics(all: Metrics): void {
  const config = readConfig(joinConfig(serviceConfig, gatewayConfig), {});
  createGatewayGauges(all);
  createTraceMetrics(all);
  observeBudgets(
    all,
    createBudgets(config, createGatewayMetrics(all), createLog({ name: 'gateway', level: 'silent' })),
  );
}

async function start(service: ServiceContext<typeof gatewayConfig>): Promise<void> {
  const { config, lifecycle, log } = service;
  const metrics = createGatewayMetrics(service.metrics, redisAddresses(config.REDIS_URL).length);
  const tracer = await openTracer('gateway', service);
  const budgets = createBudgets(config, metrics, log);
  const tls = tlsFilesOf(config);
  const server = new WebSocketServer(loadServer(service), budgets.socketBuffers, tls);
  const pace = { spreadMs: config.DRAIN_SECONDS * 1_000, rateMax: config.DRAIN_RATE_MAX };
  const sessions = new Sessions(pace, log);
  const steering = new Steering(sessions);
  lifecycle.check('drain', steering.check);
  const levels = startLevelling(service, sessions, steering);
  const nodeCalls = createNodeCalls(service, sessions, steering);
  const bus = await Bus.connect({
    service,
    metrics,
    traces: tracer && new MessageTraces(tracer),
    publish: server.publish,
    budgets,
    onEpoch: (before, now) => sessions.onEpoch(before, now),
    onNodeCall: (bytes, replyThrough) => nodeCalls.receive(bytes, replyThrough),
    onLevel: levels?.receive,
  });
  nodeCalls.open(bus);
  levels?.open(bus);
  const gauges = createGatewayGauges(service.metrics);
  observe(gauges, bus, sessions);
  observeBudgets(service.metrics, budgets);
  const room = new ConnectionRoom({
    connectionsMax: config.GATEWAY_CONNECTIONS_MAX,
    log: service.log,
    // Those that wait have their files, too.
    connections: () => sessions.size + budgets.handshakes.waiting,
    pauseListening: () => server.pauseListening(),
    resumeListening: () => server.resumeListening(),
  });
  gauges.connectionsMax.read(() => room.connectionsMax);
  lifecycle.check('connections', room.check);
  lifecycle.onClose('connection room', room.start());
  server.serve({
    path: '/v2',
    frameBytesReadMax,
    backpressureMaxBytes: config.BACKPRESSURE_MAX_BYTES,
    idleTimeoutSeconds: config.IDLE_TIMEOUT_SECONDS,
    trustedProxies: new TrustedProxies(config.TRUSTED_PROXIES ?? []),
    allowedOrigins: config.ALLOWED_ORIGINS,
    handshakes: budgets.handshakes,
    onOpen: (socket) => {
      metrics.connectionsOpened.count += 1;
      return sessions.open(bus.context, socket);
    },
    onSlow: (cause, address) => {
      metrics.slowClosed.inc({ cause });
      log.warn(
        { kind: cause, source: networkOf(address) },
        'a connection is closed: its client reads too slowly',
      );
    },
    refusalOf: (address) =>
      room.isFull ? gatewayFull() : budgets.clientLimits?.refusalOf(address, budgets.handshakes),
    delayMsOf: (address) => budgets.clientLimits?.handshakeDelayMs(address) ?? 0,
    onForwardedIgnored: (peer) => {
      metrics.forwardedIgnored.inc();
      log.warn({ peer }, 'ignored whom a client connects for: its address is not among TRUSTED_PROXIES');
    },
    onUpgradeRefused: (reason, { origin, source } = {}) => {
      metrics.upgradesRefused.inc({ reason });
      if (origin !== undefined) {
        log.warn({ origin }, 'connection of a web page refused: its origin is not among ALLOWED_ORIGINS');
      }
      if (source !== undefined)
        log.warn({ kind: reason, source }, 'a connection is refused: there is no room');
    },
    onClosed: (code, by) => countClosed(metrics, code, by),
  });
  lifecycle.onClose('connections', async () => {
    steering.stop();
    const leftMs = config.STOP_TIMEOUT_MS - config.LISTEN_GRACE_MS;
    await sessions.drain(leftMs - stopMarginMs, leftMs - stopMarginMs / 2);
    await bus.context.cursorWriter.flush();
  });
  lifecycle.onClose('listening', async () => {
    if (config.LISTEN_GRACE_MS > 0) await pause(config.LISTEN_GRACE_MS);
    server.stopListening();
  });
  await server.listen(config.GATEWAY_HOST, config.GATEWAY_PORT, { isShared: true });
  if (config.GATEWAY_OWN_PORT !== undefined) {
    await server.listen(config.GATEWAY_HOST, config.GATEWAY_OWN_PORT, { isShared: false });
  }
  if (tls) gauges.certificateExpires.read(renewOnHangup(tls, service, () => server.renewTls()));
  service.nodes.is(bus.node);
  lifecycle.onClose('goodbye', () => {
    if (!lifecycle.isFailing) bus.publish(bus.names.nodes, encodeStopping(bus.node));
  });
}

/** @throws ConfigError when this machine cannot load the chosen release */
function loadServer({ config, log, reportBuild }: ServiceContext<typeof gatewayConfig>): LoadedUws {
  const uws = load(config.UWEBSOCKETS);
  log.info({ uwebsockets: uws.version, node: process.versions.node }, 'uWebSockets.js loaded');
  reportBuild({ version: release, contract: String(contractVersion), uwebsockets: uws.version });
  return uws;
}

function load(choice: string): LoadedUws {
  try {
    return loadUws(choice);
  } catch (error) {
    throw new ConfigError((error as Error).message);
  }
}

function observe(gauges: ReturnType<typeof createGatewayGauges>, bus: Bus, sessions: Sessions): void {
  gauges.connections.read(() => sessions.size);
  gauges.users.read(() => bus.context.users.size);
  gauges.groups.read(() => bus.context.groups.size);
  gauges.requestsPending.read(() => bus.requestsPending);
  gauges.requestStreamBytes.read(() => bus.requestStreamBytes);
  gauges.answerCreditBytes.read(() => bus.credit.bytes);
  gauges.answerCreditWaiting.read(() => bus.credit.waiting);
  gauges.replayPagesCharacters.read(() => bus.context.replayPages.characters);
  gauges.databaseEpoch.read(() => bus.context.epoch);
  gauges.drainLeft.read(() => sessions.left);
}
