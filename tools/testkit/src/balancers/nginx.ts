import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findOrInstall, findProgram } from '@hooligram/local';
import { freePorts } from '../free-ports.ts';
import { type BalancedGateway, type Balancer, balancerFolder, startBalancer } from './balancer.ts';

// From src/ and from dist/ alike.
const template = fileURLToPath(new URL('../../../../infra/nginx/nginx.conf.template', import.meta.url));

/** nginx with infra/nginx/nginx.conf.template, in front of three gateways. */
export async function startNginx(gateways: readonly BalancedGateway[]): Promise<Balancer> {
  const command = await findOrInstall({
    name: 'nginx',
    find: () => findProgram('nginx'),
    debianPackage: 'nginx-core',
  });
  const [port = 0] = await freePorts(1);
  const folder = balancerFolder('nginx');
  const values: Record<string, string> = { CLIENT_LISTEN: `127.0.0.1:${port}` };
  for (const [i, { url }] of gateways.entries()) values[`GATEWAY_${i + 1}`] = new URL(url).host;
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, substituted(readFileSync(template, 'utf8'), values));
  const args = ['-c', file, '-p', folder, '-g', `daemon off; pid ${join(folder, 'nginx.pid')};`];
  return startBalancer(
    {
      name: 'nginx',
      command,
      args,
      env: process.env,
      port,
      stopSignal: 'SIGTERM',
      reloadSignal: 'SIGHUP',
    },
    folder,
  );
}

/** What envsubst does. @throws Error when a value is missing */
function substituted(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`nginx.conf.template wants ${name}`);
    return value;
  });
}
