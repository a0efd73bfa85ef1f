/** In place of a LoopWatch: says whether somebody looks at it. */
export function watchedLoop(isNoticed = true) {
  const loop = {
    isLookedAt: false,
    isNoticed: () => isNoticed,
    begin() {
      loop.isLookedAt = true;
    },
    end() {
      loop.isLookedAt = false;
    },
  };
  return loop;
}
