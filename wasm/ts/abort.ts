/** An operation that a signal can abort. */
export interface Abortable {
  /** Once the signal is aborted, the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Awaits the promise of `begin`. When the signal aborts, calls `giveUp` and rejects; if it is already aborted,
 * `begin` is not called.
 */
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
      // The operation may never end, for example when the gateway is never reached.
      release();
      giveUp?.();
      reject(signal.reason);
    };
    signal.addEventListener("abort", abort);
    // A listener before this one, such as that of `start`, may have ended the operation.
    begin().finally(release).then(resolve, (error) => reject(signal.aborted ? signal.reason : error));
  });
}
