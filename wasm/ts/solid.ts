import { createMemo, createSignal, onCleanup, type Accessor } from "solid-js";

import { shallowEqual, wholeRoster, type RosterSelector, type RosterSource } from "./store.js";
import type { RosterSnapshot } from "./types.js";

/**
 * Returns an accessor of the selected part of a roster; of the whole roster by default. It follows the roster and the
 * signals that the selector reads, until its owner is disposed, that is, until the component is unmounted.
 *
 * @param isEqual decides whether two selections are equal; by default as `shallowEqual` of `openclaw-presence/store`.
 */
export function createRoster<T = RosterSnapshot>(
  client: RosterSource,
  selector: RosterSelector<T> = wholeRoster,
  isEqual: (a: T, b: T) => boolean = shallowEqual,
): Accessor<T> {
  const [roster, setRoster] = createSignal(client.getSnapshot());
  onCleanup(client.subscribe(() => setRoster(client.getSnapshot())));
  return createMemo(() => selector(roster()), undefined, { equals: isEqual });
}
