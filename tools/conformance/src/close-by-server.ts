import { expectThat } from './failure.ts';
import type { Peer } from './peer.ts';

/** Waits for a close that the server makes. @param what makes it, as the beginning of a sentence */
export async function closeByServer(
  peer: Peer,
  timeoutMs: number,
  what: string,
): Promise<{ code: number; reason: string }> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeoutMs);
  });
  const close = await Promise.race([peer.closed, late]);
  clearTimeout(timer);
  expectThat(close !== undefined, `${what} must close the connection; it was open after ${timeoutMs} ms`);
  return close;
}
