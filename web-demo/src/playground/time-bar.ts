import { h, replace, set, write } from "../lib/dom.js";
import { duration, stopwatch } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import type { Frame, Player } from "./player.js";

/** Speeds that can be chosen; scenarios play at the last. */
export const RATES = [1, 60] as const;

/** The time of the world: where it is, how fast it goes, and a slider both ways. */
export class TimeBar {
  readonly element: HTMLElement;
  readonly #slider = h("input", { id: "world-time", type: "range", min: "0", step: "1", value: "0" });
  readonly #moment = h("output", { for: "world-time", class: "num moment" });
  readonly #pause: HTMLButtonElement;
  readonly #rates = new Map<number, HTMLButtonElement>();
  readonly #next: HTMLButtonElement;
  readonly #marks = h("div", { class: "marks", "aria-hidden": "true" });
  #marked = "";

  /** @param onMove The user moved time. */
  constructor(player: Player, onMove: () => void) {
    this.#pause = h("button", { type: "button", class: "button", on: { click: () => player.pause() } }, icon("pause"), "Pause");
    for (const rate of RATES) {
      const play = () => {
        onMove();
        player.play(rate);
      };
      this.#rates.set(rate, h("button", { type: "button", class: "button", on: { click: play } }, icon("play"), `${rate}×`));
    }
    this.#next = h("button", { type: "button", class: "button quiet", on: { click: () => player.next() } }, icon("next"), h("span", {}, "Next step"));
    this.#slider.addEventListener("input", () => {
      onMove();
      player.seek(Number(this.#slider.value) * 1_000);
    });
    this.element = h(
      "section",
      { class: "time-bar", "aria-label": "Time" },
      h("div", { class: "segments", role: "group", "aria-label": "Speed" }, this.#pause, [...this.#rates.values()]),
      h("label", { for: "world-time", class: "off-screen" }, "Time in the playground"),
      h("div", { class: "track" }, this.#slider, this.#marks),
      this.#moment,
      this.#next,
    );
  }

  show({ nowMs, horizonMs, rate, script, future }: Frame): void {
    set(this.#slider, "max", String(horizonMs / 1_000));
    const value = String(Math.floor(nowMs / 1_000));
    if (this.#slider.value !== value) this.#slider.value = value;
    set(this.#slider, "aria-valuetext", duration(Math.floor(nowMs / 1_000) * 1_000));
    write(this.#moment, stopwatch(nowMs));
    set(this.#pause, "aria-pressed", String(rate === 0));
    for (const [each, button] of this.#rates) set(button, "aria-pressed", String(rate === each));
    this.#next.disabled = future.length === 0;
    const marks = `${horizonMs}:${script.actions.map(({ atMs }) => atMs).join()}`;
    if (marks === this.#marked) return;
    this.#marked = marks;
    replace(this.#marks, [...new Set(script.actions.map(({ atMs }) => atMs))].map((atMs) => mark(atMs / horizonMs)));
  }
}

function mark(share: number): HTMLElement {
  const element = h("i");
  element.style.setProperty("--at", String(share));
  return element;
}
