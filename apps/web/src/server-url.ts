/** What the server that brought the page tells about the chat's servers. All of them on its own host. */
type ServerList = {
  /** Where any gateway answers. */
  readonly port: number;
  /** Those that can be chosen. */
  readonly gateways: readonly { readonly name: string; readonly port: number }[];
};

export type Servers = {
  /** The one to talk to. */
  readonly url: string;
  readonly others: readonly { readonly name: string; readonly url: string }[];
};

/**
 * Finds the server: `?url=` of the page's address, else the port that `servers.json` names, else `/v2` of the
 * page's own host, as behind a load balancer that serves both.
 */
export async function findServers(page: Location): Promise<Servers> {
  const list = await readList();
  const wsOf = (port: number) => `${scheme(page)}//${page.hostname}:${port}/v2`;
  const standard = list ? wsOf(list.port) : `${scheme(page)}//${page.host}/v2`;
  const chosen = new URLSearchParams(page.search).get('url');
  return {
    url: chosen ?? standard,
    others: [
      { name: 'any gateway', url: standard },
      ...(list?.gateways ?? []).map(({ name, port }) => ({ name, url: wsOf(port) })),
    ],
  };
}

/** A page from TLS may not open a connection without it. */
function scheme({ protocol }: Location): string {
  return protocol === 'https:' ? 'wss:' : 'ws:';
}

async function readList(): Promise<ServerList | undefined> {
  try {
    const answer = await fetch('/servers.json');
    return answer.ok ? ((await answer.json()) as ServerList) : undefined;
  } catch {
    // The page was there, so the network is not: the standard address does, and the client goes on trying.
    return undefined;
  }
}
