import type { Status } from "openclaw-presence";

import { h, set, write } from "../lib/dom.js";

/** A dot and the word for it: never the colour alone. */
export class StatusMark {
  readonly element: HTMLElement;
  readonly #word = h("span");

  constructor() {
    this.element = h("span", { class: "status" }, h("span", { class: "dot", "aria-hidden": "true" }), this.#word);
  }

  /** Shows a status, with an age text behind it if there is one: `Left 2m ago`. */
  show(status: Status, ageText = ""): void {
    set(this.element, "data-status", status);
    write(this.#word, [status, ageText].filter(Boolean).join(" "));
  }
}
