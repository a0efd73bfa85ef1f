/** A log of a test that looks at no log lines. */
export const silentLog = { info() {}, warn() {}, error() {} } as const;
