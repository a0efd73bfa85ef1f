import { setTimeout as pause } from 'node:timers/promises';
import { type Client, type ClientStorage, createClient, RequestError } from '@hooligram/client';
import { phoneOf } from '@hooligram/protocol';
import type { Log } from '@hooligram/service';
import { WebSocket } from 'ws';

const signInAgainMs = 5_000;

/** A connection of the SDK. It comes back by itself, for as long as the client is not closed. */
export function openClient(url: string, storage?: ClientStorage): Client {
  return createClient({ url, WebSocket, ...(storage && { storage }) });
}

/**
 * Keeps a user signed in on a client, through everything that passes.
 * A credential that is refused is not tried again: each try would count as a guess.
 * @param stopping ends the tries
 */
export async function keepSignedIn(
  client: Client,
  user: { readonly sid: string; readonly token: string },
  { log, stopping }: { readonly log: Log; readonly stopping: AbortSignal },
): Promise<void> {
  const refused = (errors: readonly string[]) => {
    log.error({ user: user.sid, errors }, 'sign-in refused: start the canary again with a token that holds');
  };
  client.on('signInRefused', refused);
  const credential = { ...phoneOf(user.sid), verification_code: user.token };
  while (!stopping.aborted) {
    try {
      return await client.signIn(credential, { signal: stopping });
    } catch (error) {
      if (stopping.aborted) return;
      if (!(error instanceof RequestError)) throw error;
      if (!error.mayRetry) return refused(error.errors);
      await pause(signInAgainMs, undefined, { signal: stopping }).catch(() => {});
    }
  }
}
