/** What can be given up by a signal. */
export interface Abortable {
  /** Once it is aborted, the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Awaits what `begin` returns, or until the signal is aborted, which calls `giveUp`; if it is already, nothing begins. */
export function abortable<T>(
  signal: AbortSignal | undefined,
  begin: () => Promise<T>,
  giveUp?: () => void,
): Promise<T> {
  if (!signal) return begin();
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const release = () => signal.removeEventListener("abort", abort);
    const abort = () => {
      // What began may never end, as with a gateway that is never reached.
      release();
      giveUp?.();
      reject(signal.reason);
    };
    signal.addEventListener("abort", abort);
    begin().finally(release).then(resolve, reject);
  });
}
