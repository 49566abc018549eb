// Waits without sleeping: a log that resolves with an expected item, or reports its contents at a timeout.

/** Time limit of every wait: far longer than any wait takes, so that no test fails on a slow machine. */
export const LIMIT_MS = 20_000;

export class Log {
  items = [];
  #waiters = new Set();

  push(item) {
    this.items.push(item);
    for (const waiter of this.#waiters) waiter(item);
  }

  /** Resolves with the first item, past or future, that `matches` accepts. */
  async find(what, matches, limitMs = LIMIT_MS) {
    const known = this.items.find(matches);
    if (known !== undefined) return known;
    const { promise, resolve, reject } = Promise.withResolvers();
    const waiter = (item) => {
      if (matches(item)) resolve(item);
    };
    this.#waiters.add(waiter);
    const timer = setTimeout(() => {
      reject(new Error(`no ${what} within ${limitMs} ms; the log has: ${JSON.stringify(this.items).slice(0, 3000)}`));
    }, limitMs);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiters.delete(waiter);
    }
  }
}

/** Resolves like `promise`, or rejects with an error that says what did not happen in time. */
export async function within(what, promise, limitMs = LIMIT_MS) {
  const { promise: late, reject } = Promise.withResolvers();
  const timer = setTimeout(() => reject(new Error(`${what}: not within ${limitMs} ms`)), limitMs);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
