import type { Ledger } from './ledger.ts';

/**
 * When a device was given a message that it had been given before: allowed, and counted. Two devices of one
 * person both get everything; that is no duplicate.
 */
export function duplicateTimes({ connections, deliveries }: Ledger): number[] {
  const seen = new Map<string, Set<number>>();
  const times: number[] = [];
  for (const { connection, messageId, at } of deliveries) {
    const device = connections[connection]?.device ?? '';
    const messages = seen.get(device) ?? new Set();
    seen.set(device, messages);
    if (messages.has(messageId)) times.push(at);
    messages.add(messageId);
  }
  return times;
}
