import { watchInput } from "openclaw-presence";
import { html } from "lit";
import { customElement } from "lit/decorators.js";

import { duration } from "../lib/format.js";
import { Part } from "../lib/part.js";

const SECOND_MS = 1_000;

/**
 * Shows the time since the last input on this page, which the next beacon states. It updates once per second, without
 * the rest of the page.
 */
@customElement("input-clock")
export class InputClock extends Part {
  #inputAtMs = performance.now();

  constructor() {
    super();
    watchInput(() => (this.#inputAtMs = performance.now()));
    this.every(SECOND_MS, () => this.requestUpdate());
  }

  protected override render() {
    const seconds = Math.floor((performance.now() - this.#inputAtMs) / SECOND_MS);
    return html`${seconds === 0 ? "just now" : `${duration(seconds * SECOND_MS)} ago`}`;
  }
}
