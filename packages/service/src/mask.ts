const hidden = '[hidden]';
const depthMax = 6;

/** A user's sid with the number hidden except for its last two digits: `1.5550100` -> `1.•••••00`. */
export function maskSid(sid: string): string {
  const dot = sid.indexOf('.');
  return /^\d{1,3}\.\d{4,14}$/.test(sid) ? `${sid.slice(0, dot)}.${maskDigits(sid.slice(dot + 1))}` : hidden;
}

function maskDigits(digits: string): string {
  return '•'.repeat(Math.max(0, digits.length - 2)) + digits.slice(-2);
}

const maskByKey: Readonly<Record<string, (value: string) => string>> = {
  sid: maskSid,
  sids: maskSid,
  member_sid: maskSid,
  member_sids: maskSid,
  sender_sid: maskSid,
  phone_number: (value) => (/^\d{4,15}$/.test(value) ? maskDigits(value) : hidden),
  country_code: () => hidden,
  content: () => hidden,
  verification_code: () => hidden,
};

/**
 * Hides what looks like a sid or an international number inside of a text: with its plus, with one that is
 * percent-encoded, and ten digits or more by themselves. Milliseconds since 1970 stay: in Redis's ids and in times they
 * are what a log is read for, and no number of 13 digits begins like that (those of country code 1 have 11).
 */
function maskText(text: string): string {
  return text
    .replace(/(?<![\d.])\d{1,3}\.\d{4,14}(?![\d.])/g, maskSid)
    .replace(/(\+|%2B)(\d{7,15})(?!\d)/gi, (_, plus: string, digits: string) => plus + maskDigits(digits))
    .replace(/(?<![\w•.-])(?!1[5-9]\d{11}(?!\d))\d{10,15}(?![\w.])/g, maskDigits);
}

/**
 * A copy that is safe to log: values under the protocol's personal keys (in either spelling, `sender_sid` and
 * `senderSid`) are masked at any depth, texts are searched for numbers, and errors are cut down to the fields
 * that never hold data (a Postgres error's `detail` quotes the row, a Redis error's `command` its arguments).
 */
export function masked(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return maskText(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > depthMax) return '[deep]';
  if (value instanceof Error) return maskedError(value, depth);
  if (Array.isArray(value)) return value.map((item) => masked(item, depth + 1));
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if ('toJSON' in value && typeof value.toJSON === 'function') return masked(value.toJSON(), depth + 1);
  const entries = value instanceof Map ? [...value].map(([key, item]) => [String(key), item]) : undefined;
  return Object.fromEntries(
    (entries ?? Object.entries(value)).map(([key, item]) => [
      maskText(String(key)),
      maskedField(String(key), item, depth + 1),
    ]),
  );
}

function maskedField(key: string, value: unknown, depth: number): unknown {
  const name = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const mask = Object.hasOwn(maskByKey, name) ? maskByKey[name] : undefined;
  if (!mask || value === undefined || value === null) return masked(value, depth);
  if (value instanceof Set || Array.isArray(value)) return [...value].map((item) => mask(String(item)));
  return typeof value === 'object' ? hidden : mask(String(value));
}

const errorKeys = ['code', 'status', 'syscall', 'address', 'port', 'constraint', 'table'] as const;

function maskedError(error: Error, depth: number): Record<string, unknown> {
  const fields = error as Error & Partial<Record<(typeof errorKeys)[number], unknown>>;
  const safe: Record<string, unknown> = {
    type: error.name,
    message: maskText(error.message),
    stack: maskText(error.stack ?? ''),
  };
  for (const key of errorKeys) {
    const value = fields[key];
    if (typeof value === 'string') safe[key] = maskText(value);
    if (typeof value === 'number') safe[key] = value;
  }
  if (error.cause !== undefined) safe.cause = masked(error.cause, depth + 1);
  if (error instanceof AggregateError) safe.errors = masked(error.errors, depth + 1);
  return safe;
}
