import type { Status } from "openclaw-presence";
import { html } from "lit";

/** A dot and the word for it, never the colour alone; with an age text behind it if there is one: `Left 2m ago`. */
export function statusMark(status: Status, ageText = "") {
  return html`<span class="status" data-status=${status}><span class="dot" aria-hidden="true"></span><span>${status}${ageText && ` ${ageText}`}</span></span>`;
}
