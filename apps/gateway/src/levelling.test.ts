import { expect, test } from '@jest/globals';
import { Levelling, levelEveryMs, surplusOf } from './levelling.ts';

test.each([
  ['after a restart of the third of three', 150, [150, 0], 1.2, 50],
  ['on the gateway that was restarted', 0, [150, 150], 1.2, 0],
  ['a little above the mean', 110, [100, 90], 1.2, 0],
  ['with few connections, where chance alone is as uneven', 5, [1, 1], 1.2, 0],
  ['alone', 1_000, [], 1.2, 0],
])('the surplus %s is what is above the mean', (_, own, others, factor, surplus) => {
  expect(surplusOf(own, others, { factor })).toBe(surplus);
});

test('one that levels already sends away a smaller surplus than it takes to begin', () => {
  expect(surplusOf(110, [100, 90], { factor: 1.2 })).toBe(0);
  expect(surplusOf(110, [100, 90], { factor: 1.2, isLevelling: true })).toBe(10);
  expect(surplusOf(104, [100, 96], { factor: 1.2, isLevelling: true })).toBe(0);
});

/** A gateway with 300 connections, whom the load balancer gives back whoever it sends away, and what it sent away. */
function fullGateway() {
  const shed: number[] = [];
  let at = 0;
  let isOpen = true;
  const levelling = new Levelling({
    node: 'own',
    factor: 1.2,
    level: () => ({ connections: 300, is_open: isOpen }),
    isShedding: () => false,
    shed: (connections) => shed.push(connections),
    now: () => at,
  });
  return {
    shed,
    close: () => {
      isOpen = false;
    },
    /** @returns the looks after which something was sent away */
    look(times: number, others: readonly { node: string; connections: number; is_open: boolean }[]) {
      const sheddings: number[] = [];
      for (let look = 0; look < times; look += 1) {
        for (const level of others) levelling.receive(level);
        const before = shed.length;
        levelling.look();
        if (shed.length > before) sheddings.push(look);
        at += levelEveryMs;
      }
      return sheddings;
    },
    wait(ms: number) {
      at += ms;
    },
  };
}

const empty = { node: 'other', connections: 0, is_open: true };

test('a surplus is sent away, and the pauses double while the load balancer brings it back', () => {
  const gateway = fullGateway();
  expect(gateway.look(41, [empty])).toEqual([2, 6, 12, 22, 40]);
  expect(new Set(gateway.shed)).toEqual(new Set([150]));
});

test('gateways that want no clients, or have gone, do not count', () => {
  const gateway = fullGateway();
  expect(gateway.look(10, [{ ...empty, is_open: false }])).toEqual([]);
  gateway.look(1, [
    { ...empty, connections: 300 },
    { ...empty, node: 'dying' },
  ]);
  const before = gateway.shed.length;
  gateway.wait(10 * levelEveryMs);
  gateway.look(10, [{ ...empty, connections: 300 }]);
  expect(gateway.shed).toHaveLength(before);
});

test('a gateway that is stopped or drained levels nothing', () => {
  const gateway = fullGateway();
  gateway.close();
  expect(gateway.look(10, [empty])).toEqual([]);
});
