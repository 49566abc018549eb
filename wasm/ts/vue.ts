import { shallowReadonly, shallowRef, watchEffect, type ShallowRef } from "vue";

import { rosterStore, type RosterSelector, type RosterSource } from "./store.js";
import type { RosterSnapshot } from "./types.js";

/**
 * Returns a ref with the selected part of a roster; the whole roster by default. It follows the roster until its effect
 * scope ends, that is, until the component is unmounted.
 *
 * @param isEqual decides whether two selections are equal; by default as `shallowEqual` of `openclaw-presence/store`.
 */
export function useRoster<T = RosterSnapshot>(
  client: RosterSource,
  selector?: RosterSelector<T>,
  isEqual?: (a: T, b: T) => boolean,
): Readonly<ShallowRef<T>> {
  const store = rosterStore(client, selector, isEqual);
  const selection = shallowRef(store.getSnapshot());
  // Ends with the scope, and does nothing during server-side rendering, where scopes do not end.
  watchEffect((onCleanup) => onCleanup(store.subscribe((next) => (selection.value = next))));
  return shallowReadonly(selection);
}
