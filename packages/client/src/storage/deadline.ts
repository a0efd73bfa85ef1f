/** A storage that has not answered within this time may never do so. */
const answerMs = 5_000;

/** @throws what the call throws or rejects with, or that it did not settle in time */
export async function withDeadline<T>(call: () => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the storage does not answer')), answerMs);
  });
  try {
    return await Promise.race([call(), deadline]);
  } finally {
    clearTimeout(timer);
  }
}
