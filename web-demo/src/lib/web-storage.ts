/** For this tab and those it opens, or for this browser. */
export type Where = "sessionStorage" | "localStorage";

const PREFIX = "openclaw-presence-demo:";

/** What is kept under a name; nothing where the browser keeps nothing, or where it is no JSON. */
export function stored(where: Where, name: string): unknown {
  try {
    return JSON.parse(globalThis[where].getItem(PREFIX + name) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}

/** Keeps a value, or with nothing forgets it. Where the browser keeps nothing, it is lost at a reload. */
export function store(where: Where, name: string, value: unknown): void {
  try {
    if (value === undefined) globalThis[where].removeItem(PREFIX + name);
    else globalThis[where].setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Full, or forbidden.
  }
}
