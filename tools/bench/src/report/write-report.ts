import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { markdownReport } from './markdown-report.ts';
import type { Report, Summary } from './report.ts';

/** Writes the report as JSON and as Markdown. @returns the paths of the files */
export function writeReport(report: Report, summaries: readonly Summary[], folder: string): string[] {
  mkdirSync(folder, { recursive: true });
  const stem = join(folder, report.startedAt.replaceAll(':', '-').slice(0, 19));
  const files: Readonly<Record<string, string>> = {
    [`${stem}.json`]: `${JSON.stringify(report, null, 2)}\n`,
    [`${stem}.md`]: `${markdownReport(report, summaries)}\n`,
  };
  for (const [file, content] of Object.entries(files)) writeFileSync(file, content);
  return Object.keys(files);
}
