import { Store } from "../lib/store.js";
import { takeSecret, type Secret } from "./secret-link.js";

/** The places of this page, in the order of its navigation. */
export const PLACES = ["instances", "timeline", "this-tab", "playground", "paste", "webchat"] as const;

/** One of them. */
export type Place = (typeof PLACES)[number];

/** Where the page is: `#/playground?s=…`. */
export interface Route {
  readonly place: Place;
  /** What stands behind the question mark. */
  readonly query: string;
}

/** Follows the address bar. A secret in it is taken out at once and handed to `onSecret`, whenever it comes. */
export class Router {
  readonly route: Store<Route>;
  readonly #onSecret: (secret: Secret) => void;

  constructor(onSecret: (secret: Secret) => void) {
    this.#onSecret = onSecret;
    this.route = new Store(this.#read());
    addEventListener("hashchange", () => this.route.set(this.#read()));
  }

  /** Writes another query behind the place, without a step in the history. */
  rewrite(place: Place, query: string): void {
    const href = hrefOf(place, query);
    if (this.route.value.place !== place || location.hash === href) return;
    try {
      history.replaceState(null, "", href);
    } catch {
      // Browsers refuse when it comes too often; the next write contains the whole query.
    }
  }

  #read(): Route {
    const secret = takeSecret(location.hash);
    if (secret) {
      history.replaceState(null, "", hrefOf("instances"));
      this.#onSecret(secret);
    }
    return parse(location.hash);
  }
}

/** The link to a place. */
export function hrefOf(place: Place, query = ""): string {
  return `#/${place}${query && `?${query}`}`;
}

function parse(hash: string): Route {
  const [, name = "", query = ""] = /^#\/([^?]*)\??(.*)$/.exec(hash) ?? [];
  const place = PLACES.find((known) => known === name) ?? "instances";
  return { place, query };
}
