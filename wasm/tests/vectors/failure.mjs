// Failure messages of vectors, for the person who reads the test's output.

export class Failure extends Error {
  name = "Failure";
}

/** Fails with this message. */
export function fail(words) {
  throw new Failure(words);
}

/** Does `work`, and prefixes its failure with the place. */
export function at(place, work) {
  const prefixed = (error) => {
    throw error instanceof Failure ? new Failure(`${place}: ${error.message}`) : error;
  };
  try {
    const result = work();
    return result instanceof Promise ? result.catch(prefixed) : result;
  } catch (error) {
    return prefixed(error);
  }
}

/** Returns a value as text, truncated. */
export function short(value) {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 600 ? `${text.slice(0, 600)}...` : text;
}
