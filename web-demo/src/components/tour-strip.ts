import { h, replace, set, write } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { hrefOf } from "../state/route.js";
import { isDone, STOPS, type Stop, type Tour, type TourLog } from "../state/tour.js";

/** What to try, with a tick at what was seen. Where it is narrow only the next stop is shown. */
export class TourStrip {
  readonly element = h("section", { class: "tour", "aria-label": "A one-minute tour" });
  readonly #items = new Map<Stop, HTMLElement>();
  readonly #progress = h("span", { class: "num" });
  readonly #end = h("p", { class: "tour-end" }, "That was it: you know how a row comes, doubles, ages and goes.");
  readonly #log: TourLog;

  constructor(log: TourLog) {
    this.#log = log;
    const close = h("button", { type: "button", class: "button icon-only", "aria-label": "Close the tour", on: { click: () => this.#close() } }, icon("close"));
    const stops: Readonly<Record<Stop, readonly (Node | string)[]>> = {
      self: ["Find yourself: the row marked ", h("em", {}, "this tab")],
      // The opener's sessionStorage is copied, so the new tab is signed in too.
      second: [h("a", { href: hrefOf("instances"), target: "_blank", rel: "opener" }, "Open a second tab"), " and see it join"],
      duplicate: [h("a", { href: hrefOf("this-tab") }, "Make a duplicate"), " and see it explained"],
      time: [h("a", { href: hrefOf("playground") }, "Move time"), " in the playground"],
    };
    replace(
      this.element,
      h("p", { class: "tour-title" }, "One minute ", this.#progress),
      h("ol", {}, STOPS.map((stop) => this.#item(stop, stops[stop]))),
      this.#end,
      close,
    );
    log.tour.watch((tour) => this.#show(tour));
  }

  /** Shows it, or not. A tour that has come to its end stays until another place is shown: nothing jumps under a hand. */
  place(isWanted: boolean): void {
    const { tour } = this.#log;
    this.element.hidden = !isWanted || tour.value.isClosed || isDone(tour.value);
  }

  #close(): void {
    this.#log.close();
    this.element.hidden = true;
    // The button that had the focus is gone.
    document.querySelector<HTMLElement>(".view:not([hidden]) h1")?.focus({ preventScroll: true });
  }

  #item(stop: Stop, children: readonly (Node | string)[]): HTMLElement {
    const item = h("li", {}, h("span", { class: "tick", "aria-hidden": "true" }, icon("check")), h("span", {}, ...children), h("span", { class: "off-screen tick-word" }));
    this.#items.set(stop, item);
    return item;
  }

  #show(tour: Tour): void {
    const { seen } = tour;
    const next = STOPS.find((stop) => !seen.has(stop));
    write(this.#progress, `${seen.size}/${STOPS.length}`);
    set(this.element, "data-done", isDone(tour) ? "" : undefined);
    for (const [stop, item] of this.#items) {
      set(item, "data-seen", seen.has(stop) ? "" : undefined);
      set(item, "data-next", stop === next ? "" : undefined);
      write(item.querySelector(".tick-word")!, seen.has(stop) ? " (done)" : "");
    }
  }
}
