import { h, write } from "../lib/dom.js";
import { duration } from "../lib/format.js";
import type { Frame, Player } from "./player.js";
import { BOUNDS } from "./script.js";

/** Times to live that make a difference to see, in s. */
const TTLS = [10, 30, 60, 120, 300, 600, 1_800, 3_600];

/** The gateway's time to live and cap. A change holds from the beginning of the world on. */
export class BoundsForm {
  readonly element: HTMLElement;
  readonly #ttl = h("input", { id: "world-ttl", type: "range", min: "0", max: String(TTLS.length - 1), step: "1" });
  readonly #ttlText = h("output", { for: "world-ttl", class: "num" });
  readonly #cap = h("input", { id: "world-cap", type: "range", min: String(BOUNDS.cap.least), max: String(BOUNDS.cap.most), step: "1" });
  readonly #capText = h("output", { for: "world-cap", class: "num" });

  constructor(player: Player) {
    this.#ttl.addEventListener("input", () => player.setBounds({ ttlMs: (TTLS[Number(this.#ttl.value)] ?? 300) * 1_000 }));
    this.#cap.addEventListener("input", () => player.setBounds({ cap: Number(this.#cap.value) }));
    this.element = h(
      "div",
      { class: "bounds" },
      h("div", { class: "field" }, h("label", { for: "world-ttl" }, "Time to live"), this.#ttl, this.#ttlText),
      h("div", { class: "field" }, h("label", { for: "world-cap" }, "Most rows"), this.#cap, this.#capText),
    );
  }

  show({ script: { ttlMs, cap } }: Frame): void {
    const index = TTLS.findIndex((seconds) => seconds * 1_000 >= ttlMs);
    this.#ttl.value = String(index < 0 ? TTLS.length - 1 : index);
    this.#ttl.setAttribute("aria-valuetext", duration(ttlMs));
    this.#cap.value = String(cap);
    write(this.#ttlText, duration(ttlMs));
    write(this.#capText, String(cap));
  }
}
