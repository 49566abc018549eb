import { Store } from "../lib/store.js";

/** Something that happened to the roster or to the connection. */
export interface Happening {
  /** On this machine's clock. */
  readonly atMs: number;
  readonly kind: "join" | "leave" | "connection";
  readonly text: string;
}

/** Most happenings that are kept, and most characters of each. */
const MOST = 200;
const MOST_CHARS = 200;
const KEY = "openclaw-presence-demo:timeline";

/** What happened at one gateway, newest first. Kept for this tab, so that a reload does not lose it. */
export class Timeline {
  readonly happenings = new Store<readonly Happening[]>([]);
  #url = "";

  /** Goes on with what is kept of this gateway. */
  open(url: string): void {
    // What stands behind a hash may be a secret.
    this.#url = url.replace(/#.*/s, "");
    this.happenings.set(stored(this.#url));
  }

  /** Forgets everything. */
  close(): void {
    this.happenings.set([]);
    try {
      sessionStorage.removeItem(KEY);
    } catch {
      // Then nothing was kept either.
    }
  }

  add(kind: Happening["kind"], text: string, atMs = Date.now()): void {
    this.#set([{ atMs, kind, text: text.slice(0, MOST_CHARS) }, ...this.happenings.value].slice(0, MOST));
  }

  clear(): void {
    this.#set([]);
  }

  #set(happenings: readonly Happening[]): void {
    this.happenings.set(happenings);
    try {
      sessionStorage.setItem(KEY, JSON.stringify({ url: this.#url, happenings }));
    } catch {
      // Then a reload forgets it.
    }
  }
}

function stored(wanted: string): readonly Happening[] {
  try {
    const { url, happenings } = JSON.parse(sessionStorage.getItem(KEY) ?? "{}") as { url?: unknown; happenings?: unknown };
    return url === wanted && Array.isArray(happenings) ? happenings.filter(isHappening).slice(0, MOST) : [];
  } catch {
    return [];
  }
}

function isHappening(value: unknown): value is Happening {
  const { atMs, kind, text } = (value ?? {}) as Partial<Happening>;
  return Number.isSafeInteger(atMs) && typeof text === "string" && (kind === "join" || kind === "leave" || kind === "connection");
}
