"use client";

import {
  createContext,
  createElement,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useSyncExternalStore,
  type ReactElement,
  type ReactNode,
} from "react";

import { PresenceClient } from "./client.js";
import type { PresenceClientOptions } from "./options.js";
import { EMPTY_SNAPSHOT } from "./snapshot.js";
import { memoizeSelector, wholeRoster, type RosterSelector } from "./store.js";
import type { ConnectionState, PresenceRow, RosterSnapshot } from "./types.js";

const ClientContext = createContext<PresenceClient | undefined>(undefined);

/** Properties of {@link PresenceProvider}: the options of a client, or a client. */
export type PresenceProviderProps = { readonly children?: ReactNode } & (
  | {
      /**
       * The provider creates a client with these options. A change of `url`, `token`, `password` or `instanceId` (as a
       * string) replaces the client; the other options are read when a client is created.
       */
      readonly options: PresenceClientOptions;
      readonly client?: undefined;
    }
  | {
      /** A client that the app starts and stops. */
      readonly client: PresenceClient;
      readonly options?: undefined;
    }
);

/**
 * Provides a client to the hooks of its descendants. A client made from `options` runs while the provider is mounted.
 */
export function PresenceProvider({ children, client: given, options }: PresenceProviderProps): ReactElement {
  const { url, token, password, instanceId } = options ?? {};
  // An unused client, such as the second one of StrictMode, has no socket and no WASM.
  const client = useMemo(
    () => given ?? new PresenceClient(options),
    [given, url, token, password, typeof instanceId === "string" ? instanceId : undefined],
  );
  useEffect(() => {
    if (given) return;
    client.start();
    return () => client.stop();
  }, [client, given]);
  return createElement(ClientContext.Provider, { value: client }, children);
}

/**
 * Returns the client of the nearest {@link PresenceProvider}.
 *
 * @throws {Error} if there is no provider above the component.
 */
export function usePresenceClient(): PresenceClient {
  const client = useContext(ClientContext);
  if (!client) throw new Error("no presence client: wrap the component in <PresenceProvider>");
  return client;
}

/** Returns the roster. */
export function useRoster(): RosterSnapshot;
/**
 * Returns the part of the roster that `selector` selects. The component renders again only when that part changes.
 *
 * ```tsx
 * const active = useRoster((roster) => roster.rows.filter((row) => row.status === "Active").length);
 * ```
 *
 * @param isEqual decides whether two selections are equal; by default they are if they are identical, or arrays or plain
 *   objects with identical members.
 */
export function useRoster<T>(selector: RosterSelector<T>, isEqual?: (a: T, b: T) => boolean): T;
export function useRoster<T>(selector: RosterSelector<T> = wholeRoster, isEqual?: (a: T, b: T) => boolean): T {
  const client = usePresenceClient();
  // Selectors are usually inline functions, new at each render; the ref keeps the committed selection.
  const committed = useRef<{ readonly selection: T } | undefined>(undefined);
  const select = useMemo(() => memoizeSelector(selector, isEqual, committed.current), [selector, isEqual]);
  const selection = useSyncExternalStore(
    client.subscribe,
    () => select(client.getSnapshot()),
    () => select(EMPTY_SNAPSHOT),
  );
  useEffect(() => {
    committed.current = { selection };
  }, [selection]);
  return selection;
}

/** Returns the state of the connection. */
export function useConnection(): ConnectionState {
  return useRoster(connectionOf);
}

/** Returns the row of this client, whose `isOwn` is true, if the roster has it. */
export function useOwnRow(): PresenceRow | undefined {
  return useRoster(ownRow, Object.is);
}

/** Returns the row with that key, if the roster has it. */
export function usePresenceRow(key: string): PresenceRow | undefined {
  return useRoster((roster) => roster.rows.find((row) => row.key === key), Object.is);
}

const connectionOf = (roster: RosterSnapshot) => roster.connection;
const ownRow = (roster: RosterSnapshot) => roster.rows.find((row) => row.isOwn);
