import type { Status } from "openclaw-presence";
import { html } from "lit";

/**
 * A dot and the status in words, so that colour is not the only distinction; with an age text if given: `Left 2m
 * ago`.
 */
export function statusMark(status: Status, ageText = "") {
  return html`<span class="status" data-status=${status}><span class="dot" aria-hidden="true"></span><span>${status}${ageText && ` ${ageText}`}</span></span>`;
}
