/**
 * Notes a process in a folder, so that a later run finds it if this one is killed before it can stop it.
 * @param signal what stops it then
 */
export declare function recordProcess(dir: string, name: string, pid: number, signal: NodeJS.Signals): void;
export declare function forgetProcess(dir: string, name: string): void;
/** Stops whatever recorded process still lives, and only that: a pid that was given anew is left alone. */
export declare function stopLeftovers(dir: string): Promise<string[]>;
/** The same without waiting: for the way out of a process that is being interrupted. */
export declare function killRecorded(dir: string): void;
