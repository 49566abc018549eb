import { watchInput } from "openclaw-presence";
import { html } from "lit";
import { customElement } from "lit/decorators.js";

import { duration } from "../lib/format.js";
import { Part } from "../lib/part.js";

const SECOND_MS = 1_000;

/** Time since the last input on this page, which the next beacon states. It draws itself once per second, and nothing else. */
@customElement("input-clock")
export class InputClock extends Part {
  #inputAtMs = performance.now();
  #ticker: ReturnType<typeof setInterval> | undefined;

  constructor() {
    super();
    watchInput(() => (this.#inputAtMs = performance.now()));
  }

  /** Starts to draw itself. */
  start(): void {
    this.stop();
    this.#ticker = setInterval(() => this.requestUpdate(), SECOND_MS);
  }

  /** Stops to draw itself; inputs are noted all the same. */
  stop(): void {
    clearInterval(this.#ticker);
  }

  protected override render() {
    const seconds = Math.floor((performance.now() - this.#inputAtMs) / SECOND_MS);
    return html`${seconds === 0 ? "just now" : `${duration(seconds * SECOND_MS)} ago`}`;
  }
}
