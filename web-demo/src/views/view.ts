import { html } from "lit";

import { Part } from "../lib/part.js";

/** A view of the page. While hidden it renders nothing. */
export abstract class View extends Part {
  constructor(className = "view") {
    super(className);
  }

  /** Shows the view, or passes another query to the visible view. */
  enter(query: string): void {
    if (this.hidden) this.#wake();
    this.requestUpdate();
    this.show?.(query);
  }

  /** Updates its parts, which rendered nothing meanwhile. */
  #wake(): void {
    this.hidden = false;
    for (const element of this.querySelectorAll("*")) if (element instanceof Part) element.requestUpdate();
  }

  /** Hides the view. */
  leave(): void {
    this.hide?.();
    this.performUpdate();
    this.hidden = true;
  }

  /** Called when the view is shown, with the query of its address. */
  protected show?(query: string): void;
  /** Called when another view is shown. */
  protected hide?(): void;
}

/** Renders a view's title and lead, with optional content beside them. */
export function viewHead(title: string, lead: string, beside?: HTMLElement) {
  return html`<div class="view-head"><div class="view-words"><h1 tabindex="-1">${title}</h1><p class="lead">${lead}</p></div>${beside}</div>`;
}
