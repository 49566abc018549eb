import { Store } from "../lib/store.js";
import { store, stored } from "../lib/web-storage.js";

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

/** The visitor's way through the page, kept for this browser. */
export class TourLog {
  readonly tour = new Store<Tour>(kept());

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
    store("localStorage", "tour", { seen: [...tour.seen], isClosed: tour.isClosed });
  }
}

function kept(): Tour {
  const { seen, isClosed } = (stored("localStorage", "tour") ?? {}) as { seen?: unknown; isClosed?: unknown };
  return { seen: new Set(STOPS.filter((stop) => Array.isArray(seen) && seen.includes(stop))), isClosed: isClosed === true };
}
