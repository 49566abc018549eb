/** Takes the results, so that no compiler removes the work. */
export let sink;

/**
 * Runs all sides alternately in one process, so that other load hits all of them; returns the median times in us, by
 * name. A side is a function of the number of the round.
 */
export function medians(sides, rounds) {
  const times = new Map(Object.keys(sides).map((name) => [name, []]));
  // All compilers need a warm-up, also in a short run.
  const warmUp = Math.ceil(rounds / 3);
  for (let round = 0; round < rounds + warmUp; round += 1) {
    const turns = Object.entries(sides);
    for (const [name, act] of round % 2 === 0 ? turns : turns.reverse()) {
      const started = performance.now();
      sink = act(round);
      const took = performance.now() - started;
      if (round >= warmUp) times.get(name).push(took * 1_000);
    }
  }
  return Object.fromEntries([...times].map(([name, all]) => [name, median(all)]));
}

function median(times) {
  times.sort((a, b) => a - b);
  return times[times.length >> 1];
}
