import { h } from "../lib/dom.js";

/** What stands where rows will be, in their size. */
export function skeletonRows(rows = 4): HTMLElement {
  const bars = Array.from({ length: rows }, () => h("div", { class: "skeleton-row", "aria-hidden": "true" }));
  return h("div", { class: "skeleton", role: "status" }, h("span", { class: "off-screen" }, "Waiting for the list of instances"), bars);
}
