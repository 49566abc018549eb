import { rosterStore, type RosterSelector, type RosterSource, type RosterStore } from "./store.js";
import type { RosterSnapshot } from "./types.js";

/** The part of Lit's `ReactiveControllerHost` that a controller uses. Lit itself is not imported. */
export interface ControllerHost {
  addController(controller: { hostConnected?(): void; hostDisconnected?(): void }): void;
  requestUpdate(): void;
}

/**
 * Updates a Lit element when the selected part of a roster changes. It is subscribed while the element is connected.
 *
 * ```ts
 * readonly #active = new RosterController(this, client, (roster) => roster.rows.filter((row) => row.status === "Active"));
 * ```
 */
export class RosterController<T = RosterSnapshot> {
  readonly #host: ControllerHost;
  readonly #store: RosterStore<T>;
  #value: T;
  #unsubscribe: (() => void) | undefined;

  /**
   * @param selector selects the whole roster by default.
   * @param isEqual decides whether two selections are equal; by default as `shallowEqual` of `openclaw-presence/store`.
   */
  constructor(
    host: ControllerHost,
    client: RosterSource,
    selector?: RosterSelector<T>,
    isEqual?: (a: T, b: T) => boolean,
  ) {
    this.#host = host;
    this.#store = rosterStore(client, selector, isEqual);
    this.#value = this.#store.getSnapshot();
    host.addController(this);
  }

  /** The selected part of the roster. */
  get value(): T {
    return this.#value;
  }

  hostConnected(): void {
    this.#unsubscribe ??= this.#store.subscribe((selection) => this.#update(selection));
    this.#update(this.#store.getSnapshot());
  }

  hostDisconnected(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }

  #update(selection: T): void {
    if (Object.is(selection, this.#value)) return;
    this.#value = selection;
    this.#host.requestUpdate();
  }
}
