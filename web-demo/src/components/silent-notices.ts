import type { PresenceRow } from "openclaw-presence";
import { html } from "lit";

import { silentGateways } from "../state/gateways.js";

/** A line for each observed gateway that is not heard of: its rows may be out of date. */
export function silentNotices(rows: readonly PresenceRow[]) {
  return html`<div class="notices silent">${silentGateways(rows).map(
    (sentence) => html`<p class="notice">${sentence}.</p>`,
  )}</div>`;
}
