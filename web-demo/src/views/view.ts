import { h } from "../lib/dom.js";

/** One place of the page. */
export interface View {
  readonly element: HTMLElement;
  /** It comes into sight, with what stands behind the question mark of its address. */
  show?(query: string): void;
  /** Another place is shown now. */
  hide?(): void;
}

/** The head of a place: what it is called and for, and what stands beside that where there is room. */
export function viewHead(title: string, lead: string, ...beside: readonly HTMLElement[]): HTMLElement {
  const words = h("div", { class: "view-words" }, h("h1", { tabindex: "-1" }, title), h("p", { class: "lead" }, lead));
  return h("div", { class: "view-head" }, words, ...beside);
}
