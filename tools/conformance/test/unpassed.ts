import { type CheckResult, resultText } from '../src/index.ts';

/** What did not pass, as a person would read it. */
export function unpassed(results: readonly CheckResult[]): string[] {
  return results.filter(({ outcome }) => outcome !== 'passed').map(resultText);
}
