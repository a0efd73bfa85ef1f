import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { growthCurves } from './growth.ts';
import { growthFile } from './growth-chart.ts';
import { htmlReport } from './html.ts';
import type { Report, Summary } from './report.ts';

/**
 * Writes the figures as JSON, the page, and the growth curves, if there are any, as a picture for other pages.
 * @returns the files that were written
 */
export function writeReport(report: Report, summaries: readonly Summary[], folder: string): string[] {
  mkdirSync(folder, { recursive: true });
  const stem = join(folder, report.startedAt.replaceAll(':', '-').slice(0, 19));
  const curves = growthCurves(summaries);
  const files: Readonly<Record<string, string>> = {
    [`${stem}.json`]: `${JSON.stringify(report, null, 2)}\n`,
    [`${stem}.html`]: htmlReport(report, summaries),
    ...(curves.length > 0 ? { [`${stem}-growth.svg`]: growthFile(curves) } : {}),
  };
  for (const [file, content] of Object.entries(files)) writeFileSync(file, content);
  return Object.keys(files);
}
