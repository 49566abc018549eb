// Waiting without sleeping: a list that reports an expected item, or its contents at a timeout.

/** Far above what anything here takes, so that a slow machine fails no test. */
export const LIMIT_MS = 20_000;

export class Log {
  items = [];
  #waiters = new Set();

  push(item) {
    this.items.push(item);
    for (const waiter of this.#waiters) waiter(item);
  }

  /** The first item, past or future, for which `matches` is true. */
  async find(what, matches, limitMs = LIMIT_MS) {
    const known = this.items.find(matches);
    if (known !== undefined) return known;
    const { promise, resolve, reject } = Promise.withResolvers();
    const waiter = (item) => {
      if (matches(item)) resolve(item);
    };
    this.#waiters.add(waiter);
    const timer = setTimeout(() => {
      reject(new Error(`no ${what} within ${limitMs} ms; there was: ${JSON.stringify(this.items).slice(0, 3000)}`));
    }, limitMs);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiters.delete(waiter);
    }
  }
}

/** `promise`, or an error that says what did not happen. */
export async function within(what, promise, limitMs = LIMIT_MS) {
  const { promise: late, reject } = Promise.withResolvers();
  const timer = setTimeout(() => reject(new Error(`${what}: not within ${limitMs} ms`)), limitMs);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
