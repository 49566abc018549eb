import { computed, shallowRef, toValue, watchEffect, type ComputedRef, type MaybeRefOrGetter } from "vue";

import { shallowEqual, wholeRoster, type RosterSelector, type RosterSource } from "./store.js";
import type { RosterSnapshot } from "./types.js";

/**
 * Returns a ref with the selected part of a roster; the whole roster by default. It follows the roster and the reactive
 * values that the selector reads, until its effect scope ends, that is, until the component is unmounted.
 *
 * @param client may be a ref or a getter, so that it can be replaced.
 * @param isEqual decides whether two selections are equal; by default as `shallowEqual` of `openclaw-presence/store`.
 */
export function useRoster<T = RosterSnapshot>(
  client: MaybeRefOrGetter<RosterSource>,
  selector: RosterSelector<T> = wholeRoster,
  isEqual: (a: T, b: T) => boolean = shallowEqual,
): ComputedRef<T> {
  const roster = shallowRef(toValue(client).getSnapshot());
  // Ends with the scope, and does nothing during server-side rendering, where scopes do not end.
  watchEffect((onCleanup) => {
    const source = toValue(client);
    const read = () => (roster.value = source.getSnapshot());
    onCleanup(source.subscribe(read));
    read();
  });
  let kept: { readonly selection: T } | undefined;
  return computed(() => {
    const selection = selector(roster.value);
    if (!kept || !isEqual(kept.selection, selection)) kept = { selection };
    return kept.selection;
  });
}
