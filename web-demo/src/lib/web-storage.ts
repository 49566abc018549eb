/** Storage of this tab and the tabs that it opens, or of this browser. */
export type Where = "sessionStorage" | "localStorage";

const PREFIX = "openclaw-presence-demo:";

/** Returns the value of a name; `undefined` if it is absent or not JSON, or if storage is not available. */
export function stored(where: Where, name: string): unknown {
  try {
    return JSON.parse(globalThis[where].getItem(PREFIX + name) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}

/** Stores a value; `undefined` removes it. Without storage, the value is lost at a reload. */
export function store(where: Where, name: string, value: unknown): void {
  try {
    if (value === undefined) globalThis[where].removeItem(PREFIX + name);
    else globalThis[where].setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Storage is full or denied.
  }
}
