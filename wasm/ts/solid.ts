import { createSignal, onCleanup, type Accessor } from "solid-js";

import { rosterStore, type RosterSelector, type RosterSource } from "./store.js";
import type { RosterSnapshot } from "./types.js";

/**
 * Returns an accessor of the selected part of a roster; of the whole roster by default. It follows the roster until its
 * owner is disposed, that is, until the component is unmounted.
 *
 * @param isEqual decides whether two selections are equal; by default as `shallowEqual` of `openclaw-presence/store`.
 */
export function createRoster<T = RosterSnapshot>(
  client: RosterSource,
  selector?: RosterSelector<T>,
  isEqual?: (a: T, b: T) => boolean,
): Accessor<T> {
  const store = rosterStore(client, selector, isEqual);
  const [selection, setSelection] = createSignal(store.getSnapshot());
  // A function: a selection that is a function itself must not be called.
  onCleanup(store.subscribe((next) => setSelection(() => next)));
  return selection;
}
