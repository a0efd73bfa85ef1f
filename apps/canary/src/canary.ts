import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '@hooligram/client';
import { type Part, release, type ServiceContext, type ServiceDefinition } from '@hooligram/service';
import { canaryConfig, placeOf } from './config.ts';
import { Exchange } from './exchange.ts';
import { createCanaryMetrics } from './metrics.ts';
import { keepSignedIn, openClient } from './user-client.ts';

/** Sees what users see: it is a client, and knows neither Redis nor Postgres. One is enough for all gateways. */
export const canary: ServiceDefinition<typeof canaryConfig> = {
  name: 'canary',
  summary: 'exchanges messages through every gateway of Hooligram, and measures what becomes of them',
  config: canaryConfig,
  metrics: (all) => void createCanaryMetrics(all, []),
  start,
};

/** One of CANARY_URLS, with a connection of each of the two users. */
type Place = {
  readonly name: string;
  readonly sender: Client;
  readonly recipient: Client;
  /** Whether what is sent here gets its answer, and whether what was committed comes here. */
  readonly sends: Part;
  readonly receives: Part;
};

/** Starts whatever is away: that is what the canary is there to show. */
async function start(service: ServiceContext<typeof canaryConfig>): Promise<void> {
  const { config, lifecycle } = service;
  // Every message that is on its way waits for it.
  setMaxListeners(0, lifecycle.stopping);
  service.reportBuild({ version: release, contract: '' });
  const names = config.CANARY_URLS.map(placeOf);
  const exchange = new Exchange(names, createCanaryMetrics(service.metrics, names));
  const places = config.CANARY_URLS.map((url): Place => {
    const name = placeOf(url);
    const [sender, recipient] = [openClient(url), openClient(url)];
    lifecycle.onClose(`clients of ${name}`, () =>
      Promise.all([sender, recipient].map((client) => client.close({ signal: AbortSignal.abort() }))),
    );
    const receives = lifecycle.part(`messages to ${name}`);
    // Its own messages come to the sender, too, and are acknowledged when they have a handler.
    sender.on('message', () => {});
    recipient.on('message', ({ content }) => {
      if (exchange.received(name, content)) receives.works();
    });
    return { name, sender, recipient, receives, sends: lifecycle.part(`messages from ${name}`) };
  });
  void sendAlways(service, places, exchange);
}

/** Begins when all are signed in, or have had the time of a message for it: a start is no loss. */
async function sendAlways(
  service: ServiceContext<typeof canaryConfig>,
  places: readonly Place[],
  exchange: Exchange,
): Promise<void> {
  const { config, lifecycle, log } = service;
  const { stopping } = lifecycle;
  const sender = { sid: config.CANARY_SENDER, token: config.CANARY_SENDER_TOKEN };
  const recipient = { sid: config.CANARY_RECIPIENT, token: config.CANARY_RECIPIENT_TOKEN };
  const signedIn = places.flatMap((place) => [
    keepSignedIn(place.sender, sender, { log, stopping }),
    keepSignedIn(place.recipient, recipient, { log, stopping }),
  ]);
  const wait = (ms: number) => pause(ms, undefined, { signal: stopping }).catch(() => {});
  await Promise.race([Promise.all(signedIn), wait(config.CANARY_LOST_MS)]);
  while (!stopping.aborted) {
    for (const place of places) void send(place, places, exchange, service);
    await wait(config.CANARY_EVERY_MS);
  }
}

/** One message from a place to all of them. Never rejects; what happens is in the metrics. */
async function send(
  from: Place,
  places: readonly Place[],
  exchange: Exchange,
  { config, lifecycle }: ServiceContext<typeof canaryConfig>,
): Promise<void> {
  const content = exchange.begin(from.name);
  const time = new AbortController();
  const { signal } = time;
  const isOver = pause(config.CANARY_LOST_MS, undefined, { signal: lifecycle.stopping })
    .catch(() => {})
    .finally(() => time.abort());
  let isCommitted = false;
  try {
    const groupId = await groupOf(from.sender, config.CANARY_RECIPIENT, signal);
    await from.sender.send(groupId, content, { signal });
    isCommitted = true;
    exchange.committed(content);
    from.sends.works();
  } catch (error) {
    // What is on its way when the canary stops is nobody's loss.
    if (lifecycle.stopping.aborted) return;
    exchange.failed(content);
    from.sends.failed(signal.aborted ? 'no answer in time' : String(error));
  }
  await isOver;
  if (lifecycle.stopping.aborted) return;
  const missing = exchange.end(content);
  if (!isCommitted) return;
  for (const to of places.filter(({ name }) => missing.includes(name))) {
    to.receives.failed(`a message from ${from.name} did not come in time`);
  }
}

/** The direct message of the two: a pair has one, whoever creates it, and how often. */
async function groupOf(sender: Client, recipient: string, signal: AbortSignal): Promise<number> {
  for (const group of sender.groups.values()) {
    if (group.is_direct_message && group.member_sids.includes(recipient)) return group.group_id;
  }
  return sender.createGroup('', [recipient], { signal });
}
