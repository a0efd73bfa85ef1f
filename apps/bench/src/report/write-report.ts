import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Report } from './report.ts';

/** @returns the files that were written */
export function writeReport(report: Report, folder: string): string[] {
  mkdirSync(folder, { recursive: true });
  const json = join(folder, `${report.startedAt.replaceAll(':', '-').slice(0, 19)}.json`);
  writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
  return [json];
}
