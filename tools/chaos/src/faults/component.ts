import { setTimeout as pause } from 'node:timers/promises';
import type { StackDescription } from '@hooligram/local';
import { onPostgres } from '@hooligram/local';
import { onRedis } from '../on-redis.ts';
import type { FaultContext } from './fault.ts';

/** A process of the stack. Its pid changes at each restart, so it is looked up each time. */
export type Component = {
  readonly name: string;
  readonly pid: (stack: StackDescription) => number;
  /** Whether it answers at all, by itself; not whether it does its work. */
  readonly isUp: (stack: StackDescription) => Promise<boolean>;
};

export type RedisComponent = Component & {
  readonly url: string;
  /** Its place in the list of all. */
  readonly index: number;
};

const pollMs = 25;
const restartTimeoutMs = 90_000;
const answerTimeoutMs = 1_000;

export function anyGateway({ stack, random }: FaultContext): Component {
  return gateway(random.integer(0, stack().gateways.length - 1));
}

export function anyCore({ stack, random }: FaultContext): Component {
  return core(random.integer(0, stack().cores.length - 1));
}

export const gateway = (index: number): Component => service('gateways', index);
export const core = (index: number): Component => service('cores', index);

function service(type: 'gateways' | 'cores', index: number): Component {
  const describe = (stack: StackDescription) => {
    const found = stack[type][index];
    if (!found) throw new Error(`stack.json has no ${type} ${index}`);
    return found;
  };
  return {
    name: `${type.slice(0, -1)}-${index + 1}`,
    pid: (stack) => describe(stack).pid,
    isUp: async (stack) => {
      const answer = await fetch(`${describe(stack).admin}/healthz`, {
        signal: AbortSignal.timeout(answerTimeoutMs),
      });
      return answer.ok;
    },
  };
}

export function anyRedis({ stack, random }: Pick<FaultContext, 'stack' | 'random'>): RedisComponent {
  const { redis, redises } = stack();
  const count = redises.length;
  const index = count > 1 ? random.integer(0, count - 1) : 0;
  const describe = (of: StackDescription) => {
    const found = of.redises[index];
    if (!found) throw new Error(`stack.json has no Redis ${index}`);
    return found;
  };
  // One that the stack was given may be known by its Sentinels alone.
  const { url } = redises[index] ?? redis;
  return {
    name: count > 1 ? `redis ${index + 1} of ${count}` : 'redis',
    url,
    index,
    pid: (of) => describe(of).pid,
    isUp: async () => (await onRedis(url, (client) => client.ping())) === 'PONG',
  };
}

export const postgres: Component = {
  name: 'postgres',
  pid: (stack) => stack.postgres.pid,
  isUp: async (stack) => {
    const { rowCount } = await onPostgres(
      stack.postgres.url,
      (client) => client.query('SELECT 1'),
      answerTimeoutMs,
    );
    return rowCount === 1;
  },
};

/** Waits until the launcher has started the process again and it answers. @throws Error when it does not */
export async function restarted(
  { stack, signal }: FaultContext,
  component: Component,
  oldPid: number,
): Promise<void> {
  const deadline = Date.now() + restartTimeoutMs;
  for (;;) {
    const now = stack();
    if (component.pid(now) !== oldPid && (await component.isUp(now).catch(() => false))) return;
    if (Date.now() > deadline) throw new Error(`${component.name} did not come back`);
    await pause(pollMs, undefined, { signal });
  }
}
