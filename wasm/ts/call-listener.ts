/** Calls a listener of the app. What it throws is reported as uncaught and keeps nothing from other listeners. */
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
