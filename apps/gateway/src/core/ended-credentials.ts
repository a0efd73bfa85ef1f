import type { CredentialChanged } from '@hooligram/contract';
import { closeReasons } from '@hooligram/protocol';
import type { GatewayContext } from '../context.ts';

/**
 * Closes the connections of a user that signed in with an earlier credential. The one on which the new code was submitted
 * stays: it is the owner's.
 */
export function endEarlierSessions(
  { users, metrics }: Pick<GatewayContext, 'users' | 'metrics'>,
  { user_id, version, connection_id }: CredentialChanged,
): void {
  for (const connection of users.connectionsOf(user_id)) {
    if (connection.verifying === connection_id) connection.credentialVersion = version;
    if (!connection.isBefore(version)) continue;
    metrics.sessionsEnded.inc();
    connection.socket.end(closeReasons.credentialEnded);
  }
}
