export { allChecks } from './checks/index.ts';
export { type CodeSource, codeFromCommand, codeFromTerminal, fixedCode } from './codes.ts';
export { RunError } from './failure.ts';
export { MobileClient, type MobileClientOptions } from './mobile-client.ts';
export { MobileHabits, mobileReconnectMs } from './mobile-habits.ts';
export { reportJson, resultText, summaryText } from './report.ts';
export { type CheckResult, type ConformanceOptions, runConformance } from './run.ts';
export type { Exchanged } from './trace.ts';
