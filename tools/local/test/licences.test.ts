import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

/** Those that ask for no more than to be named. */
const permissive = /^(MIT|Apache-2\.0|BSD-[23]-Clause|ISC|0BSD)$/;

test('npm run licences names the licence of every package, and none that runs in production asks for our sources', async () => {
  const args = ['run', '--silent', 'licences', '--', '--json', '--prod'];
  // The install has brought pnpm: no registry is asked for it.
  const env = { ...process.env, npm_config_prefer_offline: 'true', pnpm_config_pm_on_fail: 'ignore' };
  const { stdout } = await promisify(execFile)('npm', args, { env, maxBuffer: 64 * 2 ** 20 });
  const found = JSON.parse(stdout) as Record<string, { name: string }[]>;
  const names = Object.values(found).flatMap((packages) => packages.map(({ name }) => name));
  for (const name of ['ioredis', 'twilio', 'bullmq', '@prisma/client']) expect(names).toContain(name);
  expect(Object.keys(found).filter((licence) => !permissive.test(licence))).toEqual([]);
});
