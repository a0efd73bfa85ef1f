/** Where a command writes: lines for people, or with --json one JSON value for scripts. */
export class Output {
  readonly #isJson: boolean;
  readonly #write: (text: string) => void;

  constructor(isJson: boolean, write: (text: string) => void = (text) => process.stdout.write(text)) {
    this.#isJson = isJson;
    this.#write = write;
  }

  /** The result of the command: once at most. */
  result(value: unknown, lines: readonly string[]): void {
    if (this.#isJson) this.#write(`${JSON.stringify(value, null, 2)}\n`);
    else for (const line of lines) this.#write(`${line}\n`);
  }

  /** On the way, for people only. */
  note(line: string): void {
    if (!this.#isJson) this.#write(`${line}\n`);
  }
}

/** Columns that are as wide as they need to be. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const all = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, at) => Math.max(...all.map((row) => row[at]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** A length of time as one reads it: `3 d`, `2 h`, `5 min`, `12 s`. */
export function ago(date: Date, now: number = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - date.getTime()) / 1_000));
  if (seconds >= 2 * 86_400) return `${Math.floor(seconds / 86_400)} d`;
  if (seconds >= 2 * 3_600) return `${Math.floor(seconds / 3_600)} h`;
  return seconds >= 120 ? `${Math.floor(seconds / 60)} min` : `${seconds} s`;
}
