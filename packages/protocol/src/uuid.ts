const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * Whether a frame's `id` is a UUID of any version, in either case, and so makes its request safe to repeat.
 * Two spellings that differ in case only are the same UUID: compare them in lower case.
 */
export function isUuid(id: string): boolean {
  return uuidPattern.test(id);
}
