import { PresenceClient } from "./client.js";
import { STYLE } from "./element/style.js";
import { RosterView } from "./element/view.js";
import { newsText, rowName } from "./element/text.js";
import type { RosterSnapshot } from "./types.js";

/** News are told together, at most this often, in ms: a screen reader must not be talked to death. */
const NEWS_MS = 3_000;
/** Most names that are kept for them. */
const MOST_NAMES = 10_000;

// Modules are also loaded where there are no elements, on servers: there this is a class nobody makes.
const Base: typeof HTMLElement = globalThis.HTMLElement ?? (class {} as typeof HTMLElement);

/**
 * `<presence-roster>`: the live roster of a gateway.
 *
 * ```html
 * <presence-roster url="ws://127.0.0.1:18789" token="..."></presence-roster>
 * ```
 *
 * | attribute | |
 * |---|---|
 * | `url` | address of the gateway; without it and without a `client` nothing is shown |
 * | `token`, `password` | the secret; who can read the page can read it |
 * | `heading` | what stands above the list; `Instances` by default |
 * | `order` | `name` (default: nothing jumps) or `newest` (as the gateway lists) |
 *
 * Set the property `client` instead of `url` to show a client of your own; it is yours to start and stop.
 * The slot `empty` is shown in place of an empty list. Style it by `--presence-color-active`, `-idle`,
 * `-stale`, `-left`, `-text`, `-muted`, `-border`, `--presence-background`, `--presence-font`, `--presence-gap` and by
 * the parts `heading connection list row dot host status details seen empty`.
 *
 * After every change it dispatches `roster`, an `Event`; the roster is in its property {@link roster}.
 */
export class PresenceRosterElement extends Base {
  static readonly observedAttributes = ["url", "token", "password", "heading", "order"];

  #view: RosterView | undefined;
  /** The client that was set. */
  #given: PresenceClient | undefined;
  /** The client made from the attributes. */
  #own: PresenceClient | undefined;
  /** The client that is listened to, and what ends that. */
  #heard: PresenceClient | undefined;
  #unsubscribe: (() => void) | undefined;
  #shown: RosterSnapshot | undefined;
  /** What the live region last spoke of. */
  #told: RosterSnapshot | undefined;
  /** Who came and who went since then. */
  #joined: string[] = [];
  #left: string[] = [];
  #newsTimer: ReturnType<typeof setTimeout> | undefined;
  #isRenewing = false;

  /** The client whose roster is shown: the one that was set, else the one made from the attributes. */
  get client(): PresenceClient | undefined {
    return this.#given ?? this.#own;
  }

  set client(client: PresenceClient | null | undefined) {
    this.#given = client ?? undefined;
    this.#renew();
  }

  /** The roster that is shown. */
  get roster(): RosterSnapshot | undefined {
    return this.#shown;
  }

  connectedCallback(): void {
    // A property that was set before the element was defined hides the accessor.
    if (Object.hasOwn(this, "client")) {
      const { client } = this;
      delete (this as { client?: unknown }).client;
      this.client = client;
    }
    this.#view ??= this.#draw();
    this.#renew();
  }

  disconnectedCallback(): void {
    this.#renew();
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (before === after) return;
    if (name === "heading" || name === "order") this.#show();
    else this.#renew(true);
  }

  #draw(): RosterView {
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    if (root.adoptedStyleSheets && "replaceSync" in CSSStyleSheet.prototype) {
      // Unlike a style element this needs no 'unsafe-inline' in a content security policy.
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
    } else {
      root.append(Object.assign(document.createElement("style"), { textContent: STYLE }));
    }
    return new RosterView(root);
  }

  /** Brings clients and subscription in line with what is set, after all of a script's settings. */
  #renew(isOther = false): void {
    if (isOther) this.#stopOwn();
    if (this.#isRenewing) return;
    this.#isRenewing = true;
    // Moving an element disconnects and connects it: that must not cost its connection.
    queueMicrotask(() => {
      this.#isRenewing = false;
      this.#unsubscribe?.();
      this.#unsubscribe = undefined;
      const url = this.getAttribute("url");
      if (this.#given || !this.isConnected || url === null) this.#stopOwn();
      if (!this.isConnected) return this.#silence();
      if (!this.#given && url !== null) this.#own ??= this.#startOwn(url);
      this.#listen(this.client);
      this.#show();
    });
  }

  #listen(client: PresenceClient | undefined): void {
    if (client !== this.#heard) this.#told = undefined;
    [this.#heard, this.#joined, this.#left] = [client, [], []];
    if (!client) return;
    const ends = [
      client.subscribe(() => this.#show()),
      // They wait a while for those who come back, as all do after a restart of the gateway.
      client.onJoin((row) => this.#note(this.#joined, rowName(row))),
      client.onLeave((row) => this.#note(this.#left, rowName(row))),
    ];
    this.#unsubscribe = () => ends.forEach((end) => end());
  }

  #note(names: string[], name: string): void {
    if (names.length < MOST_NAMES) names.push(name);
    this.#newsTimer ??= setTimeout(() => this.#tell(), NEWS_MS);
  }

  #startOwn(url: string): PresenceClient {
    const token = this.getAttribute("token") ?? undefined;
    const password = this.getAttribute("password") ?? undefined;
    return new PresenceClient({ url, token, password }).start();
  }

  #stopOwn(): void {
    this.#own?.close();
    this.#own = undefined;
  }

  #show(): void {
    const roster = this.client?.getSnapshot();
    const order = this.getAttribute("order") === "newest" ? "newest" : "name";
    this.#view?.show(roster, this.getAttribute("heading") ?? "Instances", order);
    if (roster === this.#shown) return;
    this.#shown = roster;
    this.#newsTimer ??= setTimeout(() => this.#tell(), NEWS_MS);
    this.dispatchEvent(new Event("roster"));
  }

  #tell(): void {
    this.#newsTimer = undefined;
    if (!this.#shown) return;
    const news = newsText(this.#told, this.#shown, { joined: this.#joined, left: this.#left });
    [this.#told, this.#joined, this.#left] = [this.#shown, [], []];
    if (news) this.#view?.tell(news);
  }

  #silence(): void {
    clearTimeout(this.#newsTimer);
    this.#newsTimer = undefined;
  }
}

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

definePresenceRoster();

declare global {
  interface HTMLElementTagNameMap {
    "presence-roster": PresenceRosterElement;
  }
}
