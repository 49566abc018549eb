import { h } from "../lib/dom.js";
import { icon, type IconName } from "../lib/icons.js";

/** A button that opens a box below it. Escape and a click beside it close it. */
export function menu(iconName: IconName, label: string, ...children: readonly HTMLElement[]): HTMLElement {
  const summary = h("summary", { class: "button quiet" }, icon(iconName), label);
  const box = h("details", { class: "menu" }, summary, h("div", { class: "menu-box" }, children));
  const closeBeside = (event: Event) => {
    if (!box.contains(event.target as Node)) box.open = false;
  };
  box.addEventListener("toggle", () => {
    if (box.open) addEventListener("pointerdown", closeBeside);
    else removeEventListener("pointerdown", closeBeside);
  });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !box.open) return;
    event.stopPropagation();
    box.open = false;
    summary.focus();
  });
  return box;
}
