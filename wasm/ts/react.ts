import { useCallback, useEffect, useMemo, useRef, useSyncExternalStore } from "react";

import { PresenceClient } from "./client.js";
import type { PresenceClientOptions } from "./options.js";
import { EMPTY_SNAPSHOT } from "./snapshot.js";
import type { RosterSnapshot } from "./types.js";

/**
 * A client that runs while the component is mounted. It is made anew when the url, token, password or
 * instanceId (given as a string) change; the other options are those of the first render.
 */
export function usePresenceClient(options: PresenceClientOptions): PresenceClient {
  const latest = useRef(options);
  latest.current = options;
  const { url, token, password } = options;
  const instanceId = typeof options.instanceId === "string" ? options.instanceId : undefined;
  // Making one is cheap and opens nothing, so that one that is thrown away (strict mode) costs nothing.
  const client = useMemo(() => new PresenceClient(latest.current), [url, token, password, instanceId]);
  useEffect(() => {
    client.start();
    return () => client.stop();
  }, [client]);
  return client;
}

/** The roster of a client; the component is drawn again when it changes. */
export function useRoster(client: PresenceClient): RosterSnapshot;
/**
 * What `selector` makes of the roster; the component is drawn again when that changes.
 *
 * ```tsx
 * const active = useRoster(client, (roster) => roster.rows.filter((row) => row.status === "Active").length);
 * ```
 *
 * @param isEqual Tells whether two selections are the same; by default `Object.is`. Give one, such as
 * {@link shallowEqual}, when the selector makes new arrays or objects.
 */
export function useRoster<T>(
  client: PresenceClient,
  selector: (roster: RosterSnapshot) => T,
  isEqual?: (a: T, b: T) => boolean,
): T;
export function useRoster<T>(
  client: PresenceClient,
  selector: (roster: RosterSnapshot) => T = (roster) => roster as T,
  isEqual: (a: T, b: T) => boolean = Object.is,
): T {
  // The selection of the last snapshot: selectors are mostly written in place and new at each render.
  const last = useRef<{ roster: RosterSnapshot; selector: unknown; selection: T } | undefined>(undefined);
  const select = (roster: RosterSnapshot): T => {
    const known = last.current;
    if (known?.roster === roster && known.selector === selector) return known.selection;
    const made = selector(roster);
    const selection = known && isEqual(known.selection, made) ? known.selection : made;
    last.current = { roster, selector, selection };
    return selection;
  };
  const subscribe = useCallback((listener: () => void) => client.subscribe(listener), [client]);
  return useSyncExternalStore(
    subscribe,
    () => select(client.getSnapshot()),
    () => select(EMPTY_SNAPSHOT),
  );
}

/** Whether two arrays or objects have the same members, compared by `Object.is`. */
export function shallowEqual<T>(a: T, b: T): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a) as (keyof T)[];
  return names.length === Object.keys(b).length && names.every((name) => Object.is(a[name], b[name]));
}
