import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findOrInstall, findProgram } from '@hooligram/local';
import { freePorts } from '../free-ports.ts';
import { type BalancedGateway, type Balancer, balancerFolder, startBalancer } from './balancer.ts';

// From src/ and from dist/ alike.
const config = fileURLToPath(new URL('../../../../infra/haproxy/haproxy.cfg', import.meta.url));

export type Haproxy = Balancer & {
  readonly metricsUrl: string;
  /** The path of the socket that takes commands. */
  readonly statsSocket: string;
};

type HaproxyOptions = {
  /** Tells gateways clients' addresses by the PROXY protocol, not by a header. */
  readonly isProxyV2?: boolean;
  /** A file with a certificate and its key: clients connect by TLS. */
  readonly pemFile?: string;
  /** host:port of a web server that has the page. */
  readonly page?: string;
};

/** HAProxy with infra/haproxy/haproxy.cfg, as a master and its workers, in front of one to four gateways. */
export async function startHaproxy(
  gateways: readonly BalancedGateway[],
  { isProxyV2 = false, pemFile, page }: HaproxyOptions = {},
): Promise<Haproxy> {
  const command = await findOrInstall({
    name: 'haproxy',
    find: () => findProgram('haproxy'),
    debianPackage: 'haproxy',
  });
  const [port = 0, metricsPort = 0] = await freePorts(2);
  const folder = balancerFolder('haproxy');
  const statsSocket = join(folder, 'admin.sock');
  const env = {
    ...process.env,
    CLIENT_BIND: `127.0.0.1:${port}${pemFile === undefined ? '' : ` ssl crt ${pemFile}`}`,
    PAGE: page,
    GATEWAY_PROXY_V2: isProxyV2 ? 'on' : 'off',
    METRICS_BIND: `127.0.0.1:${metricsPort}`,
    STATS_SOCKET: statsSocket,
    ...Object.assign({}, ...gateways.map((gateway, i) => addresses(`GATEWAY_${i + 1}`, gateway))),
  };
  const spec = { name: 'haproxy', command, args: ['-W', '-db', '-f', config], env } as const;
  const balancer = await startBalancer(
    { ...spec, port, isTls: pemFile !== undefined, stopSignal: 'SIGTERM', reloadSignal: 'SIGUSR2' },
    folder,
  );
  return { ...balancer, metricsUrl: `http://127.0.0.1:${metricsPort}/metrics`, statsSocket };
}

function addresses(name: string, { url, adminUrl }: BalancedGateway): NodeJS.ProcessEnv {
  return { [name]: new URL(url).host, [`${name}_ADMIN_PORT`]: new URL(adminUrl).port };
}
