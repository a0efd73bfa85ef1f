/** A fresh UUID of version 4; also on pages without TLS, where browsers hide `crypto.randomUUID`. */
export function uuid(): string {
  if (globalThis.crypto.randomUUID) return globalThis.crypto.randomUUID();
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** @throws TypeError when a text is no UUID: the server would take a repetition of it for another request */
export function assertUuid(id: string): void {
  if (!uuidPattern.test(id)) throw new TypeError(`not a UUID: ${id}`);
}
