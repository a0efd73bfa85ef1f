/** What the server that brought the page tells about the chat's servers: `/servers.json`, which its operator writes. */
type ServerList = {
  /** Where any gateway answers, on the page's own host. */
  readonly port?: number;
  /** Gateways that can be chosen, on the page's own host. */
  readonly gateways?: readonly { readonly name: string; readonly port: number }[];
  /** Servers that can be chosen, wherever they are. Without a port the first one is the standard. */
  readonly servers?: readonly Server[];
};

type Server = { readonly name: string; readonly url: string };

export type Servers = {
  /** The one to talk to. */
  readonly url: string;
  /** All that the page may talk to. */
  readonly known: readonly Server[];
};

/** The page's address asks for a server that its operator has not named. */
export class UnknownServerError extends Error {
  override readonly name = 'UnknownServerError';
  readonly url: string;

  constructor(url: string) {
    super(`${url} is not a server of this page`);
    this.url = url;
  }
}

/**
 * Finds the server: the standard one of `servers.json`, else `/v2` of the page's own host, as behind a load balancer
 * that serves both. `?url=` chooses among those that are known. A link could lead anybody anywhere: whoever runs the
 * server reads numbers and codes, so it takes the word of the page's operator to talk to one.
 * @throws UnknownServerError
 */
export async function findServers(page: Location): Promise<Servers> {
  const { port, gateways = [], servers = [] } = await readList();
  const wsOf = (host: string) => `${page.protocol === 'https:' ? 'wss:' : 'ws:'}//${host}/v2`;
  const onPort = (number: number) => wsOf(`${page.hostname}:${number}`);
  const standard = port === undefined ? (servers[0]?.url ?? wsOf(page.host)) : onPort(port);
  const known = [
    { name: 'any gateway', url: standard },
    ...gateways.map(({ name, port }) => ({ name, url: onPort(port) })),
    ...servers.filter(({ url }) => url !== standard),
  ];
  const url = new URLSearchParams(page.search).get('url') ?? standard;
  if (!known.some((server) => server.url === url)) throw new UnknownServerError(url);
  return { url, known };
}

/**
 * From now on the browser lets this page reach its own server and this one, whatever runs in it. The page's first policy
 * cannot know where gateways are.
 */
export function allowOnly(url: string): void {
  const policy = document.createElement('meta');
  policy.httpEquiv = 'Content-Security-Policy';
  policy.content = `connect-src 'self' ${new URL(url).origin}`;
  document.head.append(policy);
}

async function readList(): Promise<ServerList> {
  try {
    const answer = await fetch('/servers.json');
    return answer.ok ? ((await answer.json()) as ServerList) : {};
  } catch {
    // The page was there, so the network is not: the standard address does, and the client goes on trying.
    return {};
  }
}
