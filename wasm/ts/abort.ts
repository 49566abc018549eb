/** What can be given up by a signal. */
export interface Abortable {
  /** Once it is aborted, the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Awaits what `begin` returns, or until the signal is aborted; if it is already, nothing begins. */
export function abortable<T>(signal: AbortSignal | undefined, begin: () => Promise<T>): Promise<T> {
  if (!signal) return begin();
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort);
    begin()
      .finally(() => signal.removeEventListener("abort", abort))
      .then(resolve, reject);
  });
}
