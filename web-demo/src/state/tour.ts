import { Store } from "../lib/store.js";

/** What a visitor can see here within a minute. */
export const STOPS = ["self", "second", "duplicate", "time"] as const;

/** One of them. */
export type Stop = (typeof STOPS)[number];

/** How far the visitor came. */
export interface Tour {
  readonly seen: ReadonlySet<Stop>;
  readonly isClosed: boolean;
}

/** Whether there is nothing left to see. */
export function isDone({ seen }: Tour): boolean {
  return STOPS.every((stop) => seen.has(stop));
}

const KEY = "openclaw-presence-demo:tour";

/** The visitor's way through the page, kept for this browser. */
export class TourLog {
  readonly tour = new Store<Tour>(stored());

  /** The visitor saw it. */
  reach(stop: Stop): void {
    const { seen, isClosed } = this.tour.value;
    if (!seen.has(stop)) this.#set({ seen: new Set([...seen, stop]), isClosed });
  }

  close(): void {
    this.#set({ ...this.tour.value, isClosed: true });
  }

  #set(tour: Tour): void {
    this.tour.set(tour);
    try {
      localStorage.setItem(KEY, JSON.stringify({ seen: [...tour.seen], isClosed: tour.isClosed }));
    } catch {
      // Then it starts again at the next load.
    }
  }
}

function stored(): Tour {
  try {
    const { seen, isClosed } = JSON.parse(localStorage.getItem(KEY) ?? "{}") as { seen?: unknown[]; isClosed?: unknown };
    return { seen: new Set(STOPS.filter((stop) => seen?.includes(stop))), isClosed: isClosed === true };
  } catch {
    return { seen: new Set(), isClosed: false };
  }
}
