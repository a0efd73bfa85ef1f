import type { History } from './history.ts';
import { ensure } from './maps.ts';

/**
 * The times at which a device received a message that it had received before: allowed, and counted. Two devices of one
 * user both receive every message; those are no duplicates.
 */
export function duplicateTimes({ connections, deliveries }: History): number[] {
  const seen = new Map<string, Set<number>>();
  const times: number[] = [];
  for (const { connection, messageId, at } of deliveries) {
    const device = connections[connection]?.device ?? '';
    const messages = ensure(seen, device, () => new Set());
    if (messages.has(messageId)) times.push(at);
    messages.add(messageId);
  }
  return times;
}
