export interface LockHolder {
    readonly pid: number;
    readonly identity: string | undefined;
}
/**
 * Takes a lock file for this process. A lock whose holder is dead, SIGKILL included, is free.
 * @returns undefined when taken, else who holds it
 */
export declare function acquireLock(path: string): LockHolder | undefined;
export declare function releaseLock(path: string): void;
