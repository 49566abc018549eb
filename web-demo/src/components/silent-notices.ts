import type { PresenceRow } from "openclaw-presence";
import { html } from "lit";

import { silentGateways } from "../state/gateways.js";

/** A line for each unreachable observed gateway, whose rows may be outdated. */
export function silentNotices(rows: readonly PresenceRow[]) {
  return html`<div class="notices silent">${silentGateways(rows).map(
    (sentence) => html`<p class="notice">${sentence}.</p>`,
  )}</div>`;
}
