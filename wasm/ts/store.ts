import type { RosterSnapshot } from "./types.js";

/** What a store reads: a `PresenceClient`, or an object with these two of its members. */
export interface RosterSource {
  readonly getSnapshot: () => RosterSnapshot;
  readonly subscribe: (listener: () => void) => () => void;
}

/** Computes a value, such as a count, from the roster. */
export type RosterSelector<T> = (roster: RosterSnapshot) => T;

/** One selected part of a roster, in the form that `useSyncExternalStore` and similar hooks expect. */
export interface RosterStore<T> {
  /** Returns the selection; the same value until it changes. */
  readonly getSnapshot: () => T;
  /** Calls `listener` with each changed selection; returns the function that unsubscribes. */
  readonly subscribe: (listener: (selection: T) => void) => () => void;
}

/**
 * Creates the store that all framework adapters of this package use.
 *
 * ```ts
 * const active = rosterStore(client, (roster) => roster.rows.filter((row) => row.status === "Active").length);
 * const unsubscribe = active.subscribe((count) => (document.title = `${count} active`));
 * ```
 *
 * @param selector selects the whole roster by default.
 * @param isEqual decides whether two selections are equal; {@link shallowEqual} by default.
 */
export function rosterStore(source: RosterSource): RosterStore<RosterSnapshot>;
export function rosterStore<T>(
  source: RosterSource,
  selector: RosterSelector<T> | undefined,
  isEqual?: (a: T, b: T) => boolean,
): RosterStore<T>;
export function rosterStore<T>(
  source: RosterSource,
  selector: RosterSelector<T> = wholeRoster,
  isEqual?: (a: T, b: T) => boolean,
): RosterStore<T> {
  const select = memoizeSelector(selector, isEqual);
  const getSnapshot = () => select(source.getSnapshot());
  const subscribe = (listener: (selection: T) => void) => {
    let last = getSnapshot();
    return source.subscribe(() => {
      const selection = getSnapshot();
      if (Object.is(selection, last)) return;
      last = selection;
      listener(selection);
    });
  };
  return { getSnapshot, subscribe };
}

/** The selector of the whole roster. */
export const wholeRoster = (roster: RosterSnapshot) => roster as never;

/**
 * Returns a selector that runs once per roster and keeps a selection as long as newer ones are equal to it.
 *
 * @param kept the selection to begin with, if there is one.
 */
export function memoizeSelector<T>(
  selector: RosterSelector<T>,
  isEqual: (a: T, b: T) => boolean = shallowEqual,
  kept?: { readonly selection: T },
): RosterSelector<T> {
  let last: { readonly selection: T } | undefined = kept;
  let lastRoster: RosterSnapshot | undefined;
  return (roster) => {
    if (last && roster === lastRoster) return last.selection;
    const selection = selector(roster);
    if (!last || !isEqual(last.selection, selection)) last = { selection };
    lastRoster = roster;
    return last.selection;
  };
}

/** Whether two values are identical, or arrays or plain objects with identical members. */
export function shallowEqual<T>(a: T, b: T): boolean {
  if (Object.is(a, b)) return true;
  if (!isPlain(a) || !isPlain(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && Object.is(a[name], b[name]))
  );
}

/** Whether a value consists of its enumerable members, unlike a `Map` or `Date`. */
function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === Array.prototype || prototype === null;
}
