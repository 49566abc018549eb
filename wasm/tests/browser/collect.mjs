// A test runner for pages: collects tests like node:test, runs them one after the other, and returns the results.

/** Time limit of a test, in ms: far longer than any test takes. */
const LIMIT_MS = 60_000;

export class Collector {
  #tests = [];

  /** Replaces the `test` of node:test. */
  test = (name, run) => void this.#tests.push({ name, run });

  /** Runs the collected tests; resolves with `[{ name, error }]`, where `error` is a text or undefined. */
  async run() {
    const results = [];
    for (const { name, run } of this.#tests) {
      const ends = [];
      let error;
      try {
        await limited(run({ after: (end) => ends.push(end) }));
      } catch (thrown) {
        error = thrown?.stack ?? String(thrown);
        if (thrown?.message && !error.includes(thrown.message)) error = `${thrown.message}\n${error}`;
      }
      for (const end of ends) await end();
      results.push({ name, error });
    }
    return results;
  }
}

function limited(running) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${LIMIT_MS} ms`)), LIMIT_MS);
  });
  return Promise.race([running, late]).finally(() => clearTimeout(timer));
}
