import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { processIdentity } from './process-identity.js';
/**
 * Takes a lock file for this process. A lock whose holder is dead, SIGKILL included, is free.
 * @returns undefined when taken, else who holds it
 */
export function acquireLock(path) {
    const mine = `${path}.${process.pid}`;
    writeFileSync(mine, JSON.stringify({ pid: process.pid, identity: processIdentity(process.pid) }), {
        mode: 0o600,
    });
    try {
        for (;;) {
            try {
                // A link appears with its whole content or not at all, and fails when the name exists.
                linkSync(mine, path);
                return undefined;
            }
            catch (error) {
                if (error.code !== 'EEXIST')
                    throw error;
            }
            const holder = readHolder(path);
            if (holder && processIdentity(holder.pid) === holder.identity)
                return holder;
            rmSync(path, { force: true });
        }
    }
    finally {
        rmSync(mine, { force: true });
    }
}
export function releaseLock(path) {
    if (readHolder(path)?.pid === process.pid)
        rmSync(path, { force: true });
}
function readHolder(path) {
    try {
        return JSON.parse(readFileSync(path, 'utf8'));
    }
    catch {
        return undefined;
    }
}
//# sourceMappingURL=lock.js.map