import { html } from "lit";
import { customElement, state } from "lit/decorators.js";

import { copyText } from "../lib/clipboard.js";
import { icon } from "../lib/icons.js";
import { Part } from "../lib/part.js";

/** How long the button says that it is done, in ms. */
const SAID_MS = 1_600;

/** A button that copies a text and says so. */
@customElement("copy-button")
export class CopyButton extends Part {
  @state() private accessor said = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly label: string,
    readonly text: () => string,
  ) {
    super("copy");
  }

  protected override render() {
    const { said, label } = this;
    return html`
      <button type="button" class="button quiet" @click=${this.#copy}>${icon(said === "Copied" ? "check" : "copy")}${said || label}</button>
      <span class="off-screen" role="status">${said}</span>`;
  }

  async #copy(): Promise<void> {
    this.said = (await copyText(this.text())) ? "Copied" : "Not allowed";
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (this.said = ""), SAID_MS);
  }
}
