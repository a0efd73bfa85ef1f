import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { createLog } from './log.ts';
import { createService, type ServiceContext } from './service.ts';
import { port } from './variables.ts';

const config = z.object({ ADMIN_PORT: port().default(9123), GREETING: z.string() });
const log = createLog({ name: 'greeter', level: 'silent' });
const env = { ADMIN_PORT: '0', GREETING: 'hello' };

test('a service is created, started and closed without touching the process', async () => {
  const listeners = process.listenerCount('SIGTERM');
  const closed: string[] = [];
  let greeting = '';
  const service = createService(
    {
      name: 'greeter',
      config,
      async start({ config: { GREETING }, lifecycle }: ServiceContext<typeof config>) {
        lifecycle.onClose('greeter', () => closed.push('greeter'));
        lifecycle.check('mood', () => true);
        greeting = GREETING;
      },
    },
    env,
    { log },
  );
  await service.start();
  expect(greeting).toBe('hello');
  const response = await fetch(`${service.adminUrl}/readyz`);
  expect(await response.json()).toEqual({ ready: true, checks: { process: 'ok', mood: 'ok' } });
  expect(await service.close()).toBe(true);
  expect(closed).toEqual(['greeter']);
  await expect(fetch(`${service.adminUrl}/healthz`)).rejects.toThrow();
  expect(process.listenerCount('SIGTERM')).toBe(listeners);
});

test('a start that fails half way closes what it had started', async () => {
  const closed: string[] = [];
  const service = createService(
    {
      name: 'greeter',
      config,
      async start({ lifecycle }: ServiceContext<typeof config>): Promise<void> {
        lifecycle.onClose('first', () => closed.push('first'));
        throw new Error('no database');
      },
    },
    env,
    { log },
  );
  await expect(service.start()).rejects.toThrow('no database');
  expect(closed).toEqual(['first']);
});

test('a process that stops on purpose says that it drains, one that ends because of an error does not', async () => {
  const drainingWhile = async (isFailure: boolean) => {
    let line = '';
    const definition = {
      name: 'greeter',
      config,
      async start({ lifecycle, metrics }: ServiceContext<typeof config>) {
        lifecycle.onClose('look', async () => {
          line = /^hooligram_draining.*$/m.exec(await metrics.text())?.[0] ?? '';
        });
      },
    };
    const service = createService(definition, env, { log });
    await service.start();
    await service.close(isFailure);
    return line.slice(-1);
  };
  expect([await drainingWhile(false), await drainingWhile(true)]).toEqual(['1', '0']);
});

test('a bad config throws before anything is started', () => {
  const definition = { name: 'greeter', config, start: async () => {} };
  expect(() => createService(definition, {}, { log })).toThrow('greeter: GREETING is required');
});
