/** Calls a listener of the app. Its exceptions are reported as uncaught and do not affect other listeners. */
export function callListener(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    if (typeof reportError === "function") reportError(error);
    else queueMicrotask(() => {
      throw error;
    });
  }
}
