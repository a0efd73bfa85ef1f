/**
 * What tells a process from a later one that got the same pid: when it started.
 * Undefined when there is no such process, or only its zombie.
 */
export declare function processIdentity(pid: number): string | undefined;
/** The command line of a process, for the question whether it is one of ours; '' when it is gone. */
export declare function commandLine(pid: number): string;
