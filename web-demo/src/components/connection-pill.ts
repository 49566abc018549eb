import { h, set, write } from "../lib/dom.js";
import { hrefOf } from "../state/route.js";
import type { Session } from "../state/session.js";

const WORDS = { live: "Live", connecting: "Connecting", waiting: "Offline", refused: "Refused", stopped: "No gateway" } as const;

/** The connection in one word, on every place of the page. */
export class ConnectionPill {
  readonly element = h("a", { class: "pill", href: hrefOf("instances") });
  readonly #word = h("span");

  constructor(session: Session) {
    this.element.append(h("span", { class: "pulse", "aria-hidden": "true" }), this.#word);
    session.live.watch(({ target, roster }) => {
      const phase = target === undefined ? "stopped" : (roster?.connection.phase ?? "connecting");
      set(this.element, "data-phase", phase);
      write(this.#word, WORDS[phase]);
    });
  }
}
