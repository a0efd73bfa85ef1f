/** Stands for pages of the host that the client connects to, on whatever port. */
export const sameHost = 'same-host';
const everybody = '*';

/** Whether a text can stand in the list: a scheme, a host and a port, as browsers write it, or one of the words. */
export function isOrigin(text: string): boolean {
  if (text === sameHost || text === everybody || text === 'null') return true;
  return URL.canParse(text) && new URL(text).origin === text;
}

/**
 * Which web pages may connect. Browsers say of which one a connection is, and no page can make them lie; other clients
 * need not say anything.
 * @param list origins, `same-host`, or `*`
 * @param origin as in the request; '' if it has none
 * @param host the header Host
 */
export function isAllowedOrigin(list: readonly string[], origin: string, host: string): boolean {
  if (origin === '' || list.includes(everybody) || list.includes(origin)) return true;
  return list.includes(sameHost) && URL.canParse(origin) && new URL(origin).hostname === hostnameOf(host);
}

function hostnameOf(host: string): string | undefined {
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : undefined;
}
