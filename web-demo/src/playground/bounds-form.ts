import { html } from "lit";
import { live } from "lit/directives/live.js";

import { duration } from "../lib/format.js";
import type { Frame, Player } from "./player.js";
import { BOUNDS } from "./script.js";

/** Selectable times to live, in s. */
const TTLS = [10, 30, 60, 120, 300, 600, 1_800, 3_600];

/** Form for the gateway's TTL and cap. A change applies from the start of the world. */
export function boundsForm(player: Player, { script: { ttlMs, cap } }: Frame) {
  const index = TTLS.findIndex((seconds) => seconds * 1_000 >= ttlMs);
  const value = (event: Event) => Number((event.target as HTMLInputElement).value);
  return html`
    <div class="bounds">
      <div class="field">
        <label for="world-ttl">Time to live</label>
        <input id="world-ttl" type="range" min="0" max=${TTLS.length - 1} step="1" aria-valuetext=${duration(ttlMs)}
          .value=${live(String(index < 0 ? TTLS.length - 1 : index))} @input=${(event: Event) => player.setBounds({ ttlMs: (TTLS[value(event)] ?? 300) * 1_000 })}>
        <output for="world-ttl" class="num">${duration(ttlMs)}</output>
      </div>
      <div class="field">
        <label for="world-cap">Maximum rows</label>
        <input id="world-cap" type="range" min=${BOUNDS.cap.least} max=${BOUNDS.cap.most} step="1" .value=${live(String(cap))} @input=${(event: Event) => player.setBounds({ cap: value(event) })}>
        <output for="world-cap" class="num">${cap}</output>
      </div>
    </div>`;
}
