import { h, replace, set } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { hrefOf } from "../state/route.js";
import { STOPS, type Stop, type Tour, type TourLog } from "../state/tour.js";

/** What to try, with a tick at what was seen. */
export class TourStrip {
  readonly element = h("section", { class: "tour", "aria-label": "A one-minute tour" });
  readonly #items = new Map<Stop, HTMLElement>();

  constructor(log: TourLog) {
    const close = h("button", { type: "button", class: "button icon-only", "aria-label": "Close the tour", on: { click: () => log.close() } }, icon("close"));
    const stops: Readonly<Record<Stop, readonly (Node | string)[]>> = {
      self: ["Find yourself: the row marked ", h("em", {}, "this tab")],
      // The opener's sessionStorage is copied, so the new tab is signed in too.
      second: [h("a", { href: hrefOf("instances"), target: "_blank", rel: "opener" }, "Open a second tab"), " and see it join"],
      duplicate: [h("a", { href: hrefOf("this-tab") }, "Make a duplicate"), " and see it explained"],
      time: [h("a", { href: hrefOf("playground") }, "Move time"), " in the playground"],
    };
    replace(
      this.element,
      h("h2", {}, "One minute"),
      h("ol", {}, STOPS.map((stop) => this.#item(stop, stops[stop]))),
      close,
    );
    log.tour.watch((tour) => this.#show(tour));
  }

  #item(stop: Stop, children: readonly (Node | string)[]): HTMLElement {
    const item = h("li", {}, h("span", { class: "tick", "aria-hidden": "true" }, icon("check")), h("span", {}, ...children), h("span", { class: "off-screen tick-word" }));
    this.#items.set(stop, item);
    return item;
  }

  #show({ seen, isClosed }: Tour): void {
    this.element.hidden = isClosed || STOPS.every((stop) => seen.has(stop));
    for (const [stop, item] of this.#items) {
      set(item, "data-seen", seen.has(stop) ? "" : undefined);
      item.querySelector(".tick-word")!.textContent = seen.has(stop) ? " (done)" : "";
    }
  }
}
