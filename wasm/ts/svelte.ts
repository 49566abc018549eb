import { rosterStore, type RosterSelector, type RosterSource } from "./store.js";
import type { RosterSnapshot } from "./types.js";

/** A readable Svelte store, without an import of Svelte. */
export interface ReadableRoster<T> {
  /** Calls `run` now and at each change; returns the function that unsubscribes. */
  readonly subscribe: (run: (selection: T) => void) => () => void;
}

/**
 * Returns a Svelte store of the selected part of a roster; of the whole roster by default. The selector may read the roster
 * only: for a selection that depends on other state, select in the component, with `$derived` or `derived`.
 *
 * @param isEqual decides whether two selections are equal; by default as `shallowEqual` of `openclaw-presence/store`.
 */
export function readableRoster<T = RosterSnapshot>(
  client: RosterSource,
  selector?: RosterSelector<T>,
  isEqual?: (a: T, b: T) => boolean,
): ReadableRoster<T> {
  const store = rosterStore(client, selector, isEqual);
  return {
    subscribe(run) {
      const unsubscribe = store.subscribe(run);
      run(store.getSnapshot());
      return unsubscribe;
    },
  };
}
