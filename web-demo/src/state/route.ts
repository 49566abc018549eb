import { Store } from "../lib/store.js";
import { takeSecret, type Secret } from "./secret-link.js";

/** The views of this page, in the order of its navigation. */
const PLACES = ["instances", "timeline", "this-tab", "playground", "paste", "webchat"] as const;

/** Name of a view. */
export type Place = (typeof PLACES)[number];

/** The page's route: `#/playground?s=…`. */
export interface Route {
  readonly place: Place;
  /** The text after the question mark. */
  readonly query: string;
}

/** Follows the address bar. A secret in it is removed immediately and passed to `onSecret`, at any time. */
export class Router {
  readonly route: Store<Route>;
  readonly #onSecret: (secret: Secret) => void;
  /** The address as it was last read or written. */
  #known = "";

  constructor(onSecret: (secret: Secret) => void) {
    this.#onSecret = onSecret;
    this.route = new Store(this.#read());
    addEventListener("hashchange", () => this.route.set(this.#read()));
  }

  /** Replaces the query of the current address, without a new history entry. */
  rewrite(place: Place, query: string): void {
    const href = hrefOf(place, query);
    // If the address differs from the known one, the user navigated: the event follows, so keep that address.
    if (this.route.value.place !== place || location.hash !== this.#known || href === this.#known) return;
    try {
      history.replaceState(null, "", href);
      this.#known = location.hash;
    } catch {
      // Browsers limit the rate; the next write contains the whole query.
    }
  }

  #read(): Route {
    const secret = takeSecret(location.hash);
    if (secret) history.replaceState(null, "", hrefOf("instances"));
    this.#known = location.hash;
    if (secret) this.#onSecret(secret);
    return parse(this.#known);
  }
}

/** Returns the link to a view. */
export function hrefOf(place: Place, query = ""): string {
  return `#/${place}${query && `?${query}`}`;
}

function parse(hash: string): Route {
  const [, name = "", query = ""] = /^#\/([^?]*)\??(.*)$/.exec(hash) ?? [];
  const place = PLACES.find((known) => known === name) ?? "instances";
  return { place, query };
}
