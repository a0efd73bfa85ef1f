import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import { masked } from './mask.ts';
import { prettyStream } from './pretty.ts';
import { createRepeatLimit, type Repeated } from './repeats.ts';

/** Without `child`: its bindings would be written unmasked. */
export type Log = Pick<Logger, 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace'>;
export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
type LogLevel = (typeof logLevels)[number];
/** `pretty` is for people: see `prettyStream`. */
export const logFormats = ['json', 'pretty'] as const;

export type LogOptions = {
  /** The process's role, on every line. */
  readonly name: string;
  readonly level?: LogLevel;
  readonly format?: (typeof logFormats)[number];
  /** Where lines go; standard output if absent. */
  readonly destination?: DestinationStream;
};

/** A count after a second, and then less and less often, at least once a minute. */
const repeats = { periodMs: 1_000, periodMaxMs: 60_000 } as const;
/** What may fail and work again: a line of info about one of them ends the series of its warnings. */
const subjectFields = ['part', 'connection'] as const;
/** Warnings and errors that agree in their text and in these fields are a series. Each code that is sent is its own. */
const seriesFields = [...subjectFields, 'queue', 'kind', 'failure', 'sid', 'code', 'limit'] as const;
/** So many of the sources of a series, the worst, are in its line. */
const sourcesShown = 5;

/**
 * Structured log, one JSON object a line. All that is passed to it is masked before it is written (see `masked`),
 * messages too: a careless call leaks no phone number and no text.
 * A line is written before the call returns: lines are rare, and the last one before a crash matters most.
 * To keep them rare, a warning or an error that comes again and again is written at once, and then after a second, after
 * two more, after four, up to once a minute, with `repeated`, the number of times that it came since, and `lastAt`, when
 * it came last. Nothing else in a process keeps a count for its lines. A count every second would be sixty times the
 * lines in an outage that lasts, and say no more than the metrics. A field `source` does not make lines different: the
 * line has `sources`, how many there were, and `worst`, those who came most often.
 */
export function createLog(options: LogOptions): Log {
  const limit = createRepeatLimit(repeats);
  const lines = options.destination ?? pino.destination({ dest: 1, sync: true });
  return pino(
    {
      name: options.name,
      level: options.level ?? 'info',
      base: { pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      // Errors arrive here already as masked plain objects.
      serializers: { err: (error: unknown) => error },
      formatters: {
        level: (label) => ({ level: label }),
      },
      hooks: {
        logMethod(args, method, level) {
          const [first, ...rest] = args as unknown[];
          const write = (repeated?: Repeated) => {
            const fields = first instanceof Error ? { err: masked(first) } : masked(first);
            const counted = repeated && repeated.count > 0 ? withCount(fields, repeated) : fields;
            method.apply(this, [counted, ...rest.map((item) => masked(item))] as unknown as Parameters<
              typeof method
            >);
          };
          const subject = subjectOf(first);
          if (level === pino.levels.values.warn || level === pino.levels.values.error) {
            limit.pass({
              key: `${level} ${seriesOf(first, rest)}`,
              write,
              source: textOf(first, 'source'),
              subject,
            });
            return;
          }
          if (level === pino.levels.values.info && subject !== undefined) limit.end(subject);
          write();
        },
      },
    },
    options.format === 'pretty' ? prettyStream(lines, process.stdout.isTTY === true) : lines,
  );
}

function withCount(fields: unknown, { count, lastAt, sources }: Repeated): object {
  const known = typeof fields === 'object' ? fields : { text: fields };
  const counted = { ...known, repeated: count, lastAt: new Date(lastAt).toISOString() };
  if (!sources) return counted;
  const worst = masked(Object.fromEntries([...sources].slice(0, sourcesShown)));
  return { ...counted, source: undefined, sources: sources.size, worst };
}

function subjectOf(first: unknown): string | undefined {
  for (const field of subjectFields) {
    const name = textOf(first, field);
    if (name !== undefined) return `${field} ${name}`;
  }
  return undefined;
}

function textOf(first: unknown, field: string): string | undefined {
  if (typeof first !== 'object' || first === null) return undefined;
  const value = (first as Record<string, unknown>)[field];
  return typeof value === 'string' ? value : undefined;
}

function seriesOf(first: unknown, rest: readonly unknown[]): string {
  if (typeof first !== 'object' || first === null) return String(first);
  const known = first as Record<string, unknown>;
  const text = rest[0] ?? (first instanceof Error ? first.message : '');
  return [text, ...seriesFields.map((field) => known[field] ?? '')].join(' ');
}
