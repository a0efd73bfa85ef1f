import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import { masked } from './mask.ts';

export type Log = Logger;
export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LogOptions {
  /** The process's role, on every line. */
  readonly name: string;
  readonly level?: LogLevel;
  /** Further fields of every line, the node's name for example. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** Where lines go; standard output if absent. */
  readonly destination?: DestinationStream;
}

/**
 * Structured log, one JSON object a line. Whatever is passed to it is masked before it is written (see
 * `masked`), messages and bindings of child logs too: a careless call leaks no phone number and no text.
 * A line is written before the call returns: lines are rare, and the last one before a crash matters most.
 */
export function createLog(options: LogOptions): Log {
  const log = pino(
    {
      name: options.name,
      level: options.level ?? 'info',
      base: { pid: process.pid, ...options.fields },
      timestamp: stdTimeFunctions.isoTime,
      // Errors arrive here already as masked plain objects.
      serializers: { err: (error: unknown) => error },
      formatters: {
        level: (label) => ({ level: label }),
      },
      hooks: {
        logMethod(args, method) {
          const [first, ...rest] = args as unknown[];
          const fields = first instanceof Error ? { err: masked(first) } : masked(first);
          method.apply(this, [fields, ...rest.map((item) => masked(item))] as unknown as Parameters<
            typeof method
          >);
        },
      },
    },
    options.destination ?? pino.destination({ dest: 1, sync: true }),
  );
  // Children inherit this: pino has no hook for their bindings.
  const child = log.child;
  log.child = function (this: Log, bindings: object, ...rest: []) {
    return child.call(this, masked(bindings) as object, ...rest);
  } as typeof log.child;
  return log;
}
