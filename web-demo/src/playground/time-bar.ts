import { html } from "lit";
import { live } from "lit/directives/live.js";

import { duration, stopwatch } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import type { Frame, Player } from "./player.js";

/** Selectable speeds; scenarios play at the last one. */
export const RATES = [1, 60] as const;

/** The world's clock, its speed, and a slider. `onMove` is called when the user changes the time. */
export function timeBar(player: Player, { nowMs, horizonMs, rate, script, future }: Frame, onMove: () => void) {
  const seconds = Math.floor(nowMs / 1_000);
  const play = (each: number) => {
    onMove();
    player.play(each);
  };
  const seek = (event: Event) => {
    onMove();
    player.seek(Number((event.target as HTMLInputElement).value) * 1_000);
  };
  const moments = [...new Set(script.actions.map(({ atMs }) => atMs))];
  return html`
    <section class="time-bar" aria-label="Time">
      <div class="segments" role="group" aria-label="Speed">
        <button type="button" class="button" aria-pressed=${rate === 0} @click=${() => player.pause()}>${icon("pause")}Pause</button>
        ${RATES.map((each) => html`<button type="button" class="button" aria-pressed=${rate === each} @click=${() => play(each)}>${icon("play")}${each}×</button>`)}
      </div>
      <label for="world-time" class="off-screen">Time in the playground</label>
      <div class="track">
        <input id="world-time" type="range" min="0" step="1" max=${horizonMs / 1_000} aria-valuetext=${duration(seconds * 1_000)} .value=${live(String(seconds))} @input=${seek}>
        <div class="marks" aria-hidden="true">${moments.map((atMs) => html`<i .style=${`--at: ${atMs / horizonMs}`}></i>`)}</div>
      </div>
      <output for="world-time" class="num moment">${stopwatch(nowMs)}</output>
      <button type="button" class="button quiet" ?disabled=${future.length === 0} @click=${() => player.next()}>${icon("next")}<span>Next step</span></button>
    </section>`;
}
