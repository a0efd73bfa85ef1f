import type { CheckResult } from './run.ts';

const framesShownMax = 30;
const marks = { passed: '✓', failed: '✗', skipped: '-' } as const;
const arrows = { sent: '→', received: '←', closed: '× closed' } as const;

/** One check's lines, those of a failure with the last frames that were exchanged. */
export function resultText({
  outcome,
  title,
  topic,
  name,
  durationMs,
  reasons,
  exchanged,
}: CheckResult): string {
  const head = `  ${marks[outcome]} ${title}`;
  if (outcome === 'passed') return `${head} (${durationMs} ms)\n`;
  if (outcome === 'skipped') return `${head}\n      skipped: ${reasons.join('; ')}\n`;
  const left = exchanged.length - framesShownMax;
  const lines = [
    head,
    `      check: ${topic}/${name}`,
    ...reasons.map((reason) => `      ${reason}`),
    ...(left > 0 ? [`      … ${left} earlier frames are in the file of --json`] : []),
    ...exchanged
      .slice(-framesShownMax)
      .map(
        ({ atMs, peer, direction, text }) =>
          `      ${String(atMs).padStart(6)} ms  ${peer} ${arrows[direction]} ${text}`,
      ),
  ];
  return `${lines.join('\n')}\n`;
}

export function count(results: readonly CheckResult[], outcome: CheckResult['outcome']): number {
  return results.filter((result) => result.outcome === outcome).length;
}

export function summaryText(results: readonly CheckResult[]): string {
  return `${count(results, 'passed')} passed, ${count(results, 'failed')} failed, ${count(results, 'skipped')} skipped\n`;
}

export function reportJson(url: string, startedAt: Date, results: readonly CheckResult[]): string {
  const report = {
    url,
    startedAt: startedAt.toISOString(),
    passed: count(results, 'passed'),
    failed: count(results, 'failed'),
    skipped: count(results, 'skipped'),
    checks: results,
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}
