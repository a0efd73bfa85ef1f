const suffix = /: try again in ([1-9]\d*) s$/;

/** An error text that says when the same request may succeed: `too many requests: try again in 12 s`. */
export function tryAgainIn(text: string, seconds: number): string {
  return `${text}: try again in ${Math.max(1, Math.ceil(seconds))} s`;
}

/** @returns an error text without its time, and the time in seconds if it has one */
export function readTryAgain(text: string): { readonly text: string; readonly seconds: number | undefined } {
  const [end, seconds] = suffix.exec(text) ?? [];
  return end === undefined
    ? { text, seconds: undefined }
    : { text: text.slice(0, -end.length), seconds: Number(seconds) };
}
