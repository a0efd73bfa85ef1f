/**
 * Shapes of what one process reads from another. Anybody may have written anything into Redis, so what comes
 * from there is checked before it is used. Further fields are for a newer release, and ignored.
 */
export type Shape = (value: unknown) => boolean;

/** A whole number, exact as a JavaScript number. */
export const integer: Shape = (value) => Number.isSafeInteger(value);
/** An id or a count: not negative. */
export const count: Shape = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
export const text: Shape = (value) => typeof value === 'string';
export const flag: Shape = (value) => typeof value === 'boolean';

export const listOf =
  (item: Shape): Shape =>
  (value) => {
    if (!Array.isArray(value)) return false;
    for (const one of value) if (!item(one)) return false;
    return true;
  };

/** A list that begins with these. */
export const tuple =
  (...items: readonly Shape[]): Shape =>
  (value) => {
    if (!Array.isArray(value)) return false;
    for (let index = 0; index < items.length; index += 1) if (!items[index]?.(value[index])) return false;
    return true;
  };

export const orNull =
  (shape: Shape): Shape =>
  (value) =>
    value === null || shape(value);

export const optional =
  (shape: Shape): Shape =>
  (value) =>
    value === undefined || shape(value);

export const anyOf =
  (...shapes: readonly Shape[]): Shape =>
  (value) =>
    shapes.some((shape) => shape(value));

/** An object with a shape for each of its fields: the type checker asks for all of them. */
export function object<T>(fields: { readonly [K in keyof T]-?: Shape }): Shape {
  const names = Object.keys(fields);
  const shapes: readonly Shape[] = Object.values(fields);
  return (value) => {
    if (typeof value !== 'object' || value === null) return false;
    for (let index = 0; index < shapes.length; index += 1) {
      if (!shapes[index]?.((value as Record<string, unknown>)[names[index] as string])) return false;
    }
    return true;
  };
}

/** Something from Redis that this release cannot read. */
export class UnreadableError extends Error {
  override readonly name = 'UnreadableError';
}
