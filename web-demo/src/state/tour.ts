import { Store } from "../lib/store.js";
import { store, stored } from "../lib/web-storage.js";

/** The suggestions of the tour; each takes seconds. */
export const STOPS = ["self", "second", "duplicate", "time"] as const;

/** Name of a suggestion. */
export type Stop = (typeof STOPS)[number];

/** Progress of the visitor. */
export interface Tour {
  readonly seen: ReadonlySet<Stop>;
  readonly isClosed: boolean;
}

/** Whether all suggestions were seen. */
export function isDone({ seen }: Tour): boolean {
  return STOPS.every((stop) => seen.has(stop));
}

/** The visitor's progress, stored for this browser. */
export class TourLog {
  readonly tour = new Store<Tour>(kept());

  /** Marks a suggestion as seen. */
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
