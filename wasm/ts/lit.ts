import { EMPTY_SNAPSHOT } from "./snapshot.js";
import { rosterStore, type RosterSelector, type RosterSource, type RosterStore } from "./store.js";
import type { RosterSnapshot } from "./types.js";

/** The part of Lit's `ReactiveControllerHost` that a controller uses. Lit itself is not imported. */
export interface ControllerHost {
  addController(controller: { hostConnected?(): void; hostDisconnected?(): void }): void;
  requestUpdate(): void;
}

const NO_CLIENT: RosterSource = { getSnapshot: () => EMPTY_SNAPSHOT, subscribe: () => () => {} };

/**
 * Updates a Lit element when the selected part of a roster changes. It is subscribed while the element is connected.
 *
 * ```ts
 * readonly #active = new RosterController(this, client, (roster) => roster.rows.filter((row) => row.status === "Active"));
 * ```
 */
export class RosterController<T = RosterSnapshot> {
  readonly #host: ControllerHost;
  readonly #selector: RosterSelector<T> | undefined;
  readonly #isEqual: ((a: T, b: T) => boolean) | undefined;
  #client: RosterSource | undefined;
  #store: RosterStore<T>;
  #value: T;
  #unsubscribe: (() => void) | undefined;

  /**
   * @param client can be set and replaced later through {@link client}; without a client the roster is empty.
   * @param selector selects the whole roster by default.
   * @param isEqual decides whether two selections are equal; by default as `shallowEqual` of `openclaw-presence/store`.
   */
  constructor(
    host: ControllerHost,
    client?: RosterSource,
    selector?: RosterSelector<T>,
    isEqual?: (a: T, b: T) => boolean,
  ) {
    this.#host = host;
    this.#client = client;
    this.#selector = selector;
    this.#isEqual = isEqual;
    this.#store = this.#makeStore();
    this.#value = this.#store.getSnapshot();
    host.addController(this);
  }

  /** The selected part of the roster. */
  get value(): T {
    return this.#value;
  }

  /** The client that provides the roster. */
  get client(): RosterSource | undefined {
    return this.#client;
  }

  set client(client: RosterSource | undefined) {
    if (client === this.#client) return;
    const isConnected = this.#unsubscribe !== undefined;
    this.hostDisconnected();
    this.#client = client;
    this.#store = this.#makeStore();
    if (isConnected) this.hostConnected();
    else this.#update(this.#store.getSnapshot());
  }

  hostConnected(): void {
    this.#unsubscribe ??= this.#store.subscribe((selection) => this.#update(selection));
    this.#update(this.#store.getSnapshot());
  }

  hostDisconnected(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }

  #makeStore(): RosterStore<T> {
    return rosterStore(this.#client ?? NO_CLIENT, this.#selector, this.#isEqual);
  }

  #update(selection: T): void {
    if (Object.is(selection, this.#value)) return;
    this.#value = selection;
    this.#host.requestUpdate();
  }
}
