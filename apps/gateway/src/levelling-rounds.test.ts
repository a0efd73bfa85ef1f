import { describe, expect, test } from '@jest/globals';
import { Levelling, levelEveryMs } from './levelling.ts';

const tickMs = 250;
/** Those whom a gateway sends away in a tick, at most. */
const sentInTick = 125;
const minuteMs = 60_000;

type Client = { gateway: number; isCounted: boolean; timesSentAway: number };

/** Chooses a gateway for a client. @param counted how many connections of each gateway the load balancer counts */
type Balance = (client: Client, counted: readonly number[]) => number;

const leastConnections: Balance = (_, counted) => counted.indexOf(Math.min(...counted));
const alwaysTheSame: Balance = ({ gateway }) => gateway;

/**
 * A model of gateways that level themselves, whose looks are spread over the time between two. Who is sent away is back
 * within two seconds, where the load balancer wants.
 * @param connections of each gateway at the beginning
 * @param isReloaded the load balancer does not count who is there at the beginning
 */
function level(connections: readonly number[], balance: Balance, forMs: number, isReloaded = false) {
  const clients: Client[] = [];
  const returning: { readonly client: Client; readonly at: number }[] = [];
  const counted = connections.map((count) => (isReloaded ? 0 : count));
  let now = 0;
  const gateways = connections.map((count, gateway) => {
    const isCounted = !isReloaded;
    const own = Array.from({ length: count }, (): Client => ({ gateway, isCounted, timesSentAway: 0 }));
    clients.push(...own);
    const model = { own, toSend: 0, lookAt: Math.floor(gateway * levelEveryMs * 0.4) % levelEveryMs };
    const levelling = new Levelling({
      node: String(gateway),
      factor: 1.05,
      level: () => ({ connections: model.own.length, is_open: true }),
      isShedding: () => model.toSend > 0,
      shed: (surplus) => {
        model.toSend = surplus;
      },
      now: () => now,
    });
    return Object.assign(model, { levelling });
  });
  for (; now < forMs; now += tickMs) {
    while (returning[0] && returning[0].at <= now) {
      const client = returning.shift()?.client as Client;
      client.gateway = balance(client, counted);
      client.isCounted = true;
      (counted[client.gateway] as number) += 1;
      gateways[client.gateway]?.own.push(client);
    }
    for (const gateway of gateways) {
      const leaving = gateway.own.splice(0, Math.min(gateway.toSend, sentInTick));
      gateway.toSend -= leaving.length;
      for (const client of leaving) {
        client.timesSentAway += 1;
        if (client.isCounted) (counted[client.gateway] as number) -= 1;
        returning.push({ client, at: now + 1_000 });
      }
      if (now % levelEveryMs !== gateway.lookAt - (gateway.lookAt % tickMs)) continue;
      const told = gateway.levelling.look();
      for (const { levelling } of gateways) levelling.receive(told);
    }
  }
  const times = clients.map(({ timesSentAway }) => timesSentAway);
  return {
    connections: gateways.map(({ own }) => own.length),
    sentAway: times.reduce((sum, count) => sum + count, 0),
    timesMax: Math.max(...times),
  };
}

/** How far the gateway that is furthest from the mean is from it, as a part of it. */
function unevenness(connections: readonly number[]): number {
  const mean = connections.reduce((sum, count) => sum + count, 0) / connections.length;
  return Math.max(...connections.map((count) => Math.abs(count - mean))) / mean;
}

describe('three gateways, the last of them restarted', () => {
  const restarted = [1_335, 1_335, 0];

  test('are level when those who were too many have moved once', () => {
    const { connections, sentAway, timesMax } = level(restarted, leastConnections, minuteMs);
    expect(unevenness(connections)).toBeLessThan(0.05);
    expect(timesMax).toBe(1);
    expect(sentAway).toBeLessThan(1.3 * 890);
  });

  test('are within a tenth of the mean in a minute behind a load balancer that was just reloaded, and nobody moves twice', () => {
    const { connections, timesMax } = level(restarted, leastConnections, minuteMs, true);
    expect(unevenness(connections)).toBeLessThan(0.1);
    expect(timesMax).toBe(1);
  });

  test('send nobody away more often than once in a minute where the load balancer brings all of them back', () => {
    const { connections, timesMax } = level(restarted, alwaysTheSame, 10 * minuteMs);
    expect(connections).toEqual(restarted);
    expect(timesMax).toBeLessThanOrEqual(10);
  });
});

test('eight gateways of which four are new are within a tenth of the mean in a minute, and nobody moves twice', () => {
  const { connections, timesMax } = level([400, 400, 400, 400, 0, 0, 0, 0], leastConnections, minuteMs, true);
  expect(unevenness(connections)).toBeLessThan(0.1);
  expect(timesMax).toBe(1);
});
