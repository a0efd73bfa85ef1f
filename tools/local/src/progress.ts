/** What the person at the terminal sees of a start. */
export type Progress = {
  /** Does a step, with one line for it and the time that it took. */
  step<T>(label: string, work: () => Promise<T>): Promise<T>;
  line(text: string): void;
};

export function createProgress(write: (text: string) => void): Progress {
  let isLineOpen = false;
  const line = (text: string) => {
    write(`${isLineOpen ? '\n' : ''}${text.startsWith('\n') ? '' : '  '}${text}\n`);
    isLineOpen = false;
  };
  const step = async <T>(label: string, work: () => Promise<T>) => {
    const startedAt = Date.now();
    write(`  ${label} … `);
    isLineOpen = true;
    try {
      return await work();
    } finally {
      const elapsed = `${((Date.now() - startedAt) / 1000).toFixed(1)} s`;
      write(isLineOpen ? `${elapsed}\n` : `  ${label}: ${elapsed}\n`);
      isLineOpen = false;
    }
  };
  return { step, line };
}
