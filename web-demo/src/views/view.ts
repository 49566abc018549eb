import { html } from "lit";

import { Part } from "../lib/part.js";

/** One place of the page. Out of sight it draws nothing. */
export abstract class View extends Part {
  constructor(className = "view") {
    super(className);
  }

  /** Comes into sight, or stays there with another query. */
  enter(query: string): void {
    if (this.hidden) this.#wake();
    this.requestUpdate();
    this.show?.(query);
  }

  /** Shows it again: its parts drew nothing meanwhile. */
  #wake(): void {
    this.hidden = false;
    for (const element of this.querySelectorAll("*")) if (element instanceof Part) element.requestUpdate();
  }

  /** Goes out of sight. */
  leave(): void {
    this.hide?.();
    this.performUpdate();
    this.hidden = true;
  }

  /** It comes into sight, with what stands behind the question mark of its address. */
  protected show?(query: string): void;
  /** Another place is shown now. */
  protected hide?(): void;
}

/** The head of a place: what it is called and for, and what stands beside that where there is room. */
export function viewHead(title: string, lead: string, beside?: HTMLElement) {
  return html`<div class="view-head"><div class="view-words"><h1 tabindex="-1">${title}</h1><p class="lead">${lead}</p></div>${beside}</div>`;
}
