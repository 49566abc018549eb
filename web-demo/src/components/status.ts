import type { Status } from "openclaw-presence";

import { h, set, write } from "../lib/dom.js";

/** A dot and the word for it: never the colour alone. */
export class StatusMark {
  readonly element: HTMLElement;
  readonly #word = h("span");

  constructor() {
    this.element = h("span", { class: "status" }, h("span", { class: "dot", "aria-hidden": "true" }), this.#word);
  }

  /** An instance that is gone keeps its word and gets a hollow dot. */
  show(status: Status, isConnected: boolean): void {
    set(this.element, "data-status", status);
    set(this.element, "data-connected", String(isConnected));
    write(this.#word, status);
  }
}
