import { LitElement, unsafeCSS, type PropertyValues } from "lit";

import { PresenceClient } from "./client.js";
import { RosterNews } from "./element/news.js";
import { STYLE } from "./element/style.js";
import { rosterView } from "./element/view.js";
import type { RosterSnapshot } from "./types.js";

/**
 * `<presence-roster>`: the live roster of a gateway.
 *
 * ```html
 * <presence-roster url="ws://127.0.0.1:18789" token="..."></presence-roster>
 * ```
 *
 * The slot `empty` is shown in place of an empty list. Style it by `--presence-color-active`, `-idle`,
 * `-stale`, `-left`, `-text`, `-muted`, `-border`, `--presence-background`, `--presence-font`, `--presence-gap` and by
 * the parts `heading connection list row dot host status details seen empty`.
 *
 * After every change it dispatches `roster`, an `Event`; the roster is in its property {@link roster}.
 */
export interface PresenceRosterElement extends HTMLElement {
  /** Address of the gateway, also an attribute; without it and without a {@link client} nothing is shown. */
  url: string | null | undefined;
  /** The secret, also an attribute; who can read the page can read it. */
  token: string | null | undefined;
  /** The secret, also an attribute. */
  password: string | null | undefined;
  /** Text above the list, also an attribute; `Instances` by default. */
  heading: string | null | undefined;
  /** Order of the rows, also an attribute: `name` (default: nothing jumps) or `newest` (as the gateway lists them). */
  order: string | null | undefined;
  /** The client whose roster is shown: the one that was set, which its owner starts and stops, else the one made from `url`. */
  get client(): PresenceClient | undefined;
  set client(client: PresenceClient | null | undefined);
  /** The roster that is shown. */
  readonly roster: RosterSnapshot | undefined;
}

class RosterElement extends LitElement implements PresenceRosterElement {
  static override readonly styles = unsafeCSS(STYLE);
  static override readonly properties = {
    url: {},
    token: {},
    password: {},
    heading: {},
    order: {},
    client: { attribute: false },
    roster: { attribute: false },
  };

  declare url: string | null | undefined;
  declare token: string | null | undefined;
  declare password: string | null | undefined;
  declare heading: string | null | undefined;
  declare order: string | null | undefined;
  declare roster: RosterSnapshot | undefined;

  readonly #news = new RosterNews(() => this.requestUpdate());
  /** The client that was set. */
  #given: PresenceClient | undefined;
  /** The client made from the attributes. */
  #own: PresenceClient | undefined;
  /** The client that is listened to, and what ends that. */
  #heard: PresenceClient | undefined;
  #unsubscribe: (() => void) | undefined;

  get client(): PresenceClient | undefined {
    return this.#given ?? this.#own;
  }

  set client(client: PresenceClient | null | undefined) {
    this.#given = client ?? undefined;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.requestUpdate();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    // Moving an element disconnects and connects it: that must not cost its connection.
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#stopOwn();
      this.#listen(undefined);
    });
  }

  protected override shouldUpdate(): boolean {
    return this.isConnected;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const { url } = this;
    if (this.#given || url == null || changed.has("url") || changed.has("token") || changed.has("password")) this.#stopOwn();
    if (!this.#given && url != null) this.#own ??= this.#startOwn(url);
    this.#listen(this.client);
    this.roster = this.client?.getSnapshot();
    this.#news.show(this.roster);
  }

  protected override render(): unknown {
    const order = this.order === "newest" ? "newest" : "name";
    return rosterView({ roster: this.roster, heading: this.heading ?? "Instances", order, news: this.#news.text });
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("roster")) this.dispatchEvent(new Event("roster"));
  }

  #listen(client: PresenceClient | undefined): void {
    this.#news.listen(client);
    if (client === this.#heard) return;
    this.#unsubscribe?.();
    this.#heard = client;
    this.#unsubscribe = client?.subscribe(() => this.requestUpdate());
  }

  #startOwn(url: string): PresenceClient {
    return new PresenceClient({ url, token: this.token ?? undefined, password: this.password ?? undefined }).start();
  }

  #stopOwn(): void {
    this.#own?.close();
    this.#own = undefined;
  }
}

/** The class of `<presence-roster>`; on servers it can be imported, not constructed. */
export const PresenceRosterElement: {
  new (): PresenceRosterElement;
  readonly prototype: PresenceRosterElement;
  readonly observedAttributes: string[];
} = RosterElement;

/**
 * Defines the element. Importing this module does it under its own name already, once, and only where there
 * are elements.
 */
export function definePresenceRoster(name = "presence-roster"): void {
  const registry = globalThis.customElements;
  if (!registry || registry.get(name)) return;
  // A class can have one name only.
  const isTaken = name !== "presence-roster" && registry.get("presence-roster") === PresenceRosterElement;
  registry.define(name, isTaken ? class extends PresenceRosterElement {} : PresenceRosterElement);
}

// Lit's build for Node sets it even where there is none.
if (!globalThis.customElements) Reflect.deleteProperty(globalThis, "customElements");

definePresenceRoster();

declare global {
  interface HTMLElementTagNameMap {
    "presence-roster": PresenceRosterElement;
  }
}
