import { z } from 'zod';

/**
 * A variable given as text and used as something else. `expected` completes the sentence "<VARIABLE> must
 * be …" that an operator reads when the text does not parse.
 */
export function variable<T>(expected: string, parse: (text: string) => T | undefined) {
  return z.string().transform((text, context): T => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.issues.push({ code: 'custom', message: `must be ${expected}`, input: text });
    return z.NEVER;
  });
}

/** A whole number within bounds, both inclusive. */
export function integer(bounds: { min?: number; max?: number } = {}) {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = bounds;
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  return variable(`an integer ${range}`, (text) => {
    const value = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  });
}

/** A TCP port; 0 lets the system choose a free one. */
export function port() {
  return variable('a port from 0 to 65535', (text) =>
    /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined,
  );
}

/** A duration in milliseconds, at most what a Node timer can hold. */
export function milliseconds(bounds: { min?: number; max?: number } = {}) {
  const { min = 0, max = 2_147_483_647 } = bounds;
  return variable(`a number of milliseconds from ${min} to ${max}`, (text) => {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  });
}

/** `true`, `1`, `false` or `0`. */
export function boolean() {
  return variable('true or false', (text) => {
    if (text === 'true' || text === '1') return true;
    return text === 'false' || text === '0' ? false : undefined;
  });
}

/** An absolute URL of one of the given schemes (`['redis', 'rediss']`), kept as the text that it was. */
export function url(schemes: readonly string[]) {
  return variable(
    `a URL that starts with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`,
    (text) => {
      const parsed = URL.canParse(text) ? new URL(text) : undefined;
      return parsed && text.includes('://') && schemes.includes(parsed.protocol.slice(0, -1))
        ? text
        : undefined;
    },
  );
}
