import { parse } from './request-shapes.ts';
import { count, flag, object, text, UnreadableError } from './shape.ts';

/** What gateways that level their load tell each other, again and again. */
export type Level = {
  readonly node: string;
  readonly connections: number;
  /** Whether it wants clients: it is ready, and sends none away. */
  readonly is_open: boolean;
};

const level = object<Level>({ node: text, connections: count, is_open: flag });

/** @throws UnreadableError */
export function readLevel(bytes: Buffer): Level {
  const value = parse(bytes.toString());
  if (!level(value)) throw new UnreadableError('a field is missing, or of another type');
  return value as Level;
}
