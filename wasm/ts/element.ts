import { LitElement, unsafeCSS, type PropertyValues } from "lit";

import { PresenceClient } from "./client.js";
import { RosterNews } from "./element/news.js";
import { STYLE } from "./element/style.js";
import { rosterView } from "./element/view.js";
import { wordingOf, type ElementLabels, type Wording } from "./element/words.js";
import type { PresenceError } from "./errors.js";
import type { ProblemEvent } from "./events.js";
import type { ConnectionState, RosterSnapshot } from "./types.js";

export type { ElementLabels, ElementWords } from "./element/words.js";

/**
 * `<presence-roster>`: the live roster of a gateway.
 *
 * ```html
 * <presence-roster url="ws://127.0.0.1:18789" token="..."></presence-roster>
 * ```
 *
 * The slot `empty` is shown in place of an empty list, the slot `row-KEY` in place of the contents of the row with this
 * `key`. Style it by `--presence-color-active`, `-idle`,
 * `-stale`, `-left`, `-text`, `-muted`, `-border`, `--presence-background`, `--presence-font`, `--presence-gap` and by
 * the parts `heading connection list row dot host status details seen empty`.
 *
 * After every change it dispatches `roster`, an `Event`; the roster is in its property {@link roster}. If its client
 * is refused or a property is invalid, it dispatches `error`, an `ErrorEvent` whose `error` is a `PresenceError`.
 */
export interface PresenceRosterElement extends HTMLElement {
  /** Address of the gateway, also an attribute; without it and without a {@link client} nothing is shown. */
  url: string | null | undefined;
  /** The secret, also an attribute; anything that can read the page can read it. */
  token: string | null | undefined;
  /** The secret, also an attribute. */
  password: string | null | undefined;
  /** Text above the list, also an attribute; `Instances` by default. */
  heading: string | null | undefined;
  /** Level of the heading, 1 to 6, also the attribute `heading-level`; 2 by default. */
  headingLevel: number | null | undefined;
  /**
   * Order of the rows, also an attribute: `name` (default; rows keep their places) or `newest` (the gateway's order).
   */
  order: string | null | undefined;
  /** BCP 47 tag of the language of ages and of the order of names, also an attribute. */
  locale: string | null | undefined;
  /**
   * Labels that replace the English ones. Labels on rows belong to the client made from `url`; setting another object
   * reconnects it.
   */
  labels: ElementLabels | null | undefined;
  /**
   * The client whose roster is shown: the one that the app set (the app starts and stops it), else the one made from
   * `url`.
   */
  get client(): PresenceClient | undefined;
  set client(client: PresenceClient | null | undefined);
  /** The displayed roster. */
  readonly roster: RosterSnapshot | undefined;
}

/** Properties that require a new client made from `url` when they change. */
const OF_CLIENT = ["url", "token", "password", "locale", "labels"] as const;

// Merged with the class: the properties that Lit defines.
interface RosterElement extends Omit<PresenceRosterElement, "client" | "roster"> {}

class RosterElement extends LitElement {
  static override readonly styles = unsafeCSS(STYLE);
  static override readonly properties = {
    url: {},
    token: {},
    password: {},
    heading: {},
    headingLevel: { attribute: "heading-level", type: Number },
    order: {},
    locale: {},
    labels: { attribute: false },
    client: { attribute: false },
    roster: { attribute: false },
  };

  declare roster: RosterSnapshot | undefined;

  readonly #news = new RosterNews(() => this.requestUpdate());
  /** The client that the app set. */
  #given: PresenceClient | undefined;
  /** The client made from `url`. */
  #own: PresenceClient | undefined;
  /** The client with this element's listeners, and the function that removes them. */
  #source: PresenceClient | undefined;
  #unsubscribe: (() => void) | undefined;
  #wording: Wording = wordingOf();
  /** Whether labels may have changed while the element was outside the document, where Lit's updates are ignored. */
  #isStale = false;
  /** The error of an invalid property; it lasts until one of {@link OF_CLIENT} changes. */
  #error: PresenceError | undefined;

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
    // Moving an element disconnects and reconnects it in the document; its connection must survive that.
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#isStale = true;
      this.#stopOwn();
      this.#listen(undefined);
    });
  }

  protected override shouldUpdate(): boolean {
    return this.isConnected;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const isStale = this.#isStale || OF_CLIENT.some((name) => changed.has(name));
    this.#isStale = false;
    if (isStale) this.#error = undefined;
    if (this.#given || this.url == null || isStale) this.#stopOwn();
    try {
      if (isStale) this.#wording = wordingOf(this.labels, this.locale);
      if (!this.#given && this.url != null && !this.#error) this.#own ??= this.#startOwn(this.url);
    } catch (error) {
      this.#error = error as PresenceError;
      this.#dispatchError(this.#error);
    }
    this.#listen(this.client);
    this.roster = this.client?.getSnapshot();
    this.#news.show(this.roster, this.#wording.words);
  }

  protected override render(): unknown {
    const { roster } = this;
    const { words } = this.#wording;
    const failed: ConnectionState = this.#error ? { phase: "refused", error: this.#error } : { phase: "stopped" };
    return rosterView({
      roster,
      connection: roster?.connection ?? failed,
      heading: this.heading ?? words.title,
      headingLevel: [1, 3, 4, 5, 6].find((level) => level === this.headingLevel) ?? 2,
      order: this.order === "newest" ? "newest" : "name",
      news: this.#news.text,
      words,
    });
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("roster")) this.dispatchEvent(new Event("roster"));
  }

  #dispatchError(error: PresenceError): void {
    this.dispatchEvent(new ErrorEvent("error", { error, message: error.message }));
  }

  #listen(client: PresenceClient | undefined): void {
    this.#news.listen(client);
    if (client === this.#source) return;
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#source = client;
    if (!client) return;
    const unsubscribe = client.subscribe(() => this.requestUpdate());
    const handleError = ({ error }: ProblemEvent) => this.#dispatchError(error);
    client.addEventListener("error", handleError);
    this.#unsubscribe = () => {
      unsubscribe();
      client.removeEventListener("error", handleError);
    };
  }

  #startOwn(url: string): PresenceClient {
    const { labels } = this.#wording;
    return new PresenceClient({ url, token: this.token ?? undefined, password: this.password ?? undefined, labels }).start();
  }

  #stopOwn(): void {
    this.#own?.close();
    this.#own = undefined;
  }
}

/** The class of `<presence-roster>`. Servers can import it but not construct it. */
export const PresenceRosterElement: {
  new (): PresenceRosterElement;
  readonly prototype: PresenceRosterElement;
  readonly observedAttributes: string[];
} = RosterElement;

/** Defines the element. Importing this module defines it once as `presence-roster`, where custom elements exist. */
export function definePresenceRoster(name = "presence-roster"): void {
  const registry = globalThis.customElements;
  if (!registry || registry.get(name)) return;
  // A class can be registered under one name only.
  const isTaken = name !== "presence-roster" && registry.get("presence-roster") === PresenceRosterElement;
  registry.define(name, isTaken ? class extends PresenceRosterElement {} : PresenceRosterElement);
}

// Lit's build for Node sets it even on platforms without custom elements.
if (!globalThis.customElements) Reflect.deleteProperty(globalThis, "customElements");

definePresenceRoster();

declare global {
  interface HTMLElementTagNameMap {
    "presence-roster": PresenceRosterElement;
  }
}
