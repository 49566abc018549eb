import { h, replace } from "../lib/dom.js";
import { stopwatch } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import type { Frame, Player } from "./player.js";
import type { Step } from "./world.js";

/** Most steps that are drawn; older ones are rarely asked for. */
const MOST = 120;

/** What happened and what is to come, newest on top. */
export class StepList {
  readonly element = h("ol", { class: "steps", reversed: true, tabindex: "0", "aria-label": "Steps, newest first" });
  readonly #player: Player;
  #shown = "";

  constructor(player: Player) {
    this.#player = player;
  }

  show({ past, future }: Frame): void {
    const last = past.at(-1);
    const state = JSON.stringify([past.length, last?.atMs, last?.text, future.map(({ atMs, text }) => [atMs, text])]);
    if (state === this.#shown) return;
    this.#shown = state;
    replace(
      this.element,
      [...future].reverse().map((step) => this.#item(step, true)),
      past.slice(-MOST).reverse().map((step) => this.#item(step, false)),
      past.length + future.length === 0 && h("li", { class: "sub" }, "Nothing happened yet."),
    );
  }

  #item({ atMs, text, action }: Step, isFuture: boolean): HTMLElement {
    return h(
      "li",
      { class: "step", data: { kind: action ? "action" : "effect", when: isFuture ? "future" : "past" } },
      h("time", { class: "num" }, stopwatch(atMs)),
      h("span", {}, text, isFuture && h("span", { class: "sub" }, " (to come)")),
      action && h("button", { type: "button", class: "button icon-only small", "aria-label": `Remove: ${text} at ${stopwatch(atMs)}`, on: { click: () => this.#player.undo(action) } }, icon("close")),
    );
  }
}
