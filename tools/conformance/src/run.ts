import type { Check } from './check.ts';
import { allChecks } from './checks/index.ts';
import type { CodeSource } from './codes.ts';
import { RunError, Skip } from './failure.ts';
import { Fixture } from './fixture.ts';
import type { Exchanged } from './trace.ts';

export type ConformanceOptions = {
  /** Of the WebSocket, with its path: `ws://127.0.0.1:8080/v2`. */
  readonly url: string;
  readonly codeOf: CodeSource;
  /** Topics (`group-leave`) and checks (`group-leave/told`); without it, all. */
  readonly only?: readonly string[];
  /** Also the checks that take many seconds. */
  readonly slow?: boolean;
  /** How long an answer or a delivery may take. Default 5000. */
  readonly timeoutMs?: number;
  /** How long nothing must come where nothing may come. Default 300. */
  readonly quietMs?: number;
  /** How many bad frames the server takes at least before it closes; 0 leaves the check out. Default 100. */
  readonly badFramesMax?: number;
  /** Of the random numbers. Default 888, which no country has. */
  readonly countryCode?: string;
  readonly onResult?: (result: CheckResult) => void;
};

export type CheckResult = {
  readonly topic: string;
  readonly name: string;
  readonly title: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly durationMs: number;
  readonly reasons: readonly string[];
  /** What was exchanged, if it failed. */
  readonly exchanged: readonly Exchanged[];
};

/** To be reached at all, a server may take longer than for an answer. In milliseconds. */
const reachMs = 30_000;

/**
 * Makes the checks, one after the other.
 * @throws RunError when the server cannot be reached, or there is no code for a number
 */
export async function runConformance(options: ConformanceOptions): Promise<CheckResult[]> {
  const defaults = { slow: false, timeoutMs: 5_000, quietMs: 300, badFramesMax: 100, countryCode: '888' };
  const fixtureOptions = { ...defaults, ...options, users: [] };
  await reach(new Fixture({ ...fixtureOptions, timeoutMs: Math.max(reachMs, fixtureOptions.timeoutMs) }));
  const results: CheckResult[] = [];
  for (const check of chosen(options.only ?? [])) {
    const result = await judge(check, new Fixture(fixtureOptions));
    options.onResult?.(result);
    results.push(result);
  }
  return results;
}

/** @throws RunError when a name is neither a topic nor a check */
export function chosen(only: readonly string[]): readonly Check[] {
  const namesOf = ({ topic, name }: Check) => [topic, `${topic}/${name}`];
  const strange = only.find((name) => !allChecks.some((check) => namesOf(check).includes(name)));
  if (strange !== undefined)
    throw new RunError(`--only: there is no topic or check "${strange}"; see --list`);
  return only.length === 0
    ? allChecks
    : allChecks.filter((check) => namesOf(check).some((name) => only.includes(name)));
}

async function reach(fixture: Fixture): Promise<void> {
  try {
    await fixture.connect();
  } catch (error) {
    throw new RunError((error as Error).message);
  }
  await fixture.end();
}

async function judge({ topic, name, title, run }: Check, fixture: Fixture): Promise<CheckResult> {
  const startedAt = performance.now();
  const reasons: string[] = [];
  let outcome: CheckResult['outcome'] = 'passed';
  try {
    await run(fixture);
  } catch (error) {
    if (error instanceof RunError) {
      await fixture.end();
      throw error;
    }
    outcome = error instanceof Skip ? 'skipped' : 'failed';
    reasons.push((error as Error).message);
  }
  const exchanged = [...fixture.trace.exchanged];
  await fixture.end();
  // What no server may send fails the check in which it came, and is likely why that failed anyway.
  if (fixture.violations.length > 0) {
    outcome = 'failed';
    reasons.unshift(...fixture.violations.slice(0, 5));
  }
  return {
    topic,
    name,
    title,
    outcome,
    durationMs: Math.round(performance.now() - startedAt),
    reasons,
    exchanged: outcome === 'failed' ? exchanged : [],
  };
}
