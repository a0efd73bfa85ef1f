import type { DestinationStream } from 'pino';

const colours = { fatal: 31, error: 31, warn: 33, info: 32, debug: 36, trace: 90 } as const;
const hidden = new Set(['level', 'time', 'pid', 'name', 'msg', 'err']);

/**
 * Writes lines of the log for people: time, level, text, and the fields behind it; an error with its stack below. Every
 * line is written before the call returns, as the others are.
 *
 * @param isColoured for a terminal
 */
export function prettyStream(destination: DestinationStream, isColoured: boolean): DestinationStream {
  const paint = (code: number, text: string) => (isColoured ? `\u001b[${code}m${text}\u001b[0m` : text);
  return {
    write(line) {
      const { level, time, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
      const colour = colours[level as keyof typeof colours] ?? 0;
      const head = [
        paint(90, String(time).slice(11, 23)),
        paint(colour, String(level).toUpperCase().padEnd(5)),
        ...(msg === undefined ? [] : [String(msg)]),
      ];
      const rest = Object.entries(fields)
        .filter(([name]) => !hidden.has(name))
        .map(([name, value]) => `${paint(90, `${name}=`)}${textOf(value)}`);
      destination.write(`${[...head, ...rest].join(' ')}\n${stackOf(err)}`);
    },
  };
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  return /^[\w.:/@+-]+$/.test(value) ? value : JSON.stringify(value);
}

function stackOf(err: unknown): string {
  if (err === undefined) return '';
  const { stack, ...others } = (typeof err === 'object' ? err : { text: err }) as Record<string, unknown>;
  const text = typeof stack === 'string' ? stack : JSON.stringify(others);
  return `${text.replace(/^/gm, '    ')}\n`;
}
