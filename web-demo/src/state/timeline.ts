import { Store } from "../lib/store.js";
import { store, stored } from "../lib/stored.js";

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

/** What happened at one gateway, newest first. Kept for this tab, so that a reload does not lose it. */
export class Timeline {
  readonly happenings = new Store<readonly Happening[]>([]);
  #url = "";

  /** Goes on with what is kept of this gateway. */
  open(url: string): void {
    // What stands behind a hash may be a secret.
    this.#url = url.replace(/#.*/s, "");
    this.happenings.set(kept(this.#url));
  }

  /** Forgets everything. */
  close(): void {
    this.happenings.set([]);
    store("sessionStorage", "timeline", undefined);
  }

  add(kind: Happening["kind"], text: string, atMs = Date.now()): void {
    this.#set([{ atMs, kind, text: text.slice(0, MOST_CHARS) }, ...this.happenings.value].slice(0, MOST));
  }

  clear(): void {
    this.#set([]);
  }

  #set(happenings: readonly Happening[]): void {
    this.happenings.set(happenings);
    store("sessionStorage", "timeline", { url: this.#url, happenings });
  }
}

function kept(wanted: string): readonly Happening[] {
  const { url, happenings } = (stored("sessionStorage", "timeline") ?? {}) as { url?: unknown; happenings?: unknown };
  return url === wanted && Array.isArray(happenings) ? happenings.filter(isHappening).slice(0, MOST) : [];
}

function isHappening(value: unknown): value is Happening {
  const { atMs, kind, text } = (value ?? {}) as Partial<Happening>;
  return Number.isSafeInteger(atMs) && typeof text === "string" && (kind === "join" || kind === "leave" || kind === "connection");
}
