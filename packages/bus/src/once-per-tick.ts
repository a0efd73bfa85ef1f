/**
 * Gathers what one event-loop tick asks for: however often the returned function is called within a tick, `flush`
 * runs once, at its end.
 */
export function oncePerTick(flush: () => void): () => void {
  let isScheduled = false;
  const run = () => {
    isScheduled = false;
    flush();
  };
  return () => {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(run);
  };
}
