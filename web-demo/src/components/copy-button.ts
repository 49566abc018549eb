import { html } from "lit";
import { customElement, state } from "lit/decorators.js";

import { copyText } from "../lib/clipboard.js";
import { icon } from "../lib/icons.js";
import { Part } from "../lib/part.js";

/** Duration of the confirmation, in ms. */
const CONFIRMATION_MS = 1_600;

/** A button that copies a text and confirms it. */
@customElement("copy-button")
export class CopyButton extends Part {
  @state() private accessor confirmation = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly label: string,
    readonly text: () => string,
  ) {
    super("copy");
  }

  protected override render() {
    const { confirmation, label } = this;
    return html`
      <button type="button" class="button quiet" @click=${this.#copy}>${icon(confirmation === "Copied" ? "check" : "copy")}${confirmation || label}</button>
      <span class="off-screen" role="status">${confirmation}</span>`;
  }

  async #copy(): Promise<void> {
    this.confirmation = (await copyText(this.text())) ? "Copied" : "Not allowed";
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (this.confirmation = ""), CONFIRMATION_MS);
  }
}
