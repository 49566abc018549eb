import { html, nothing } from "lit";
import { guard } from "lit/directives/guard.js";
import { stopwatch } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import type { Frame, Player } from "./player.js";
import type { Step } from "./world.js";

/** Maximum number of displayed steps; older ones are rarely needed. */
const MAX_STEPS = 120;

/** Past and scheduled events, newest first. */
export function stepList(player: Player, { past, future }: Frame) {
  const all = [...[...future].reverse(), ...past.slice(-MAX_STEPS).reverse()];
  const item = ({ atMs, text, action }: Step, index: number) => {
    const isFuture = index < future.length;
    return html`
      <li class="step" data-kind=${action ? "action" : "effect"} data-when=${isFuture ? "future" : "past"}>
        <time class="num">${stopwatch(atMs)}</time><span>${text}${isFuture ? html`<span class="sub"> (to come)</span>` : nothing}</span>
        ${action ? html`<button type="button" class="button icon-only small" aria-label="Remove: ${text} at ${stopwatch(atMs)}" @click=${() => player.undo(action)}>${icon("close")}</button>` : nothing}
      </li>`;
  };
  const drawn = guard([all.map(({ atMs, text }) => `${atMs} ${text}`).join("\n"), future.length], () =>
    all.length === 0 ? html`<li class="sub">Nothing happened yet.</li>` : all.map(item),
  );
  return html`<ol class="steps" reversed tabindex="0" aria-label="Steps, newest first">${drawn}</ol>`;
}
