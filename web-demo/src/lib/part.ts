import { LitElement, type PropertyValues } from "lit";

import type { Store } from "./store.js";

/** A part of the page, created with `new`. It renders without a shadow root, so that the page has one stylesheet. */
export abstract class Part extends LitElement {
  /** @param className if empty, the element has no box. */
  constructor(className = "part") {
    super();
    this.className = className;
  }

  /** Updates this part when the store's value changes. */
  protected follow<T>(store: Store<T>): void {
    this.#whileInPage(() => store.watch(() => this.requestUpdate()));
  }

  /** Calls `act` at an interval, in ms, while this part is in the page. */
  protected every(intervalMs: number, act: () => void): void {
    this.#whileInPage(() => {
      const timer = setInterval(act, intervalMs);
      return () => clearInterval(timer);
    });
  }

  #whileInPage(begin: () => () => void): void {
    let end: (() => void) | undefined;
    this.addController({ hostConnected: () => (end = begin()), hostDisconnected: () => end?.() });
  }

  /** Parts of a hidden view are not updated; the view updates them when it is shown. */
  protected override shouldUpdate(): boolean {
    return !this.isOutOfSight;
  }

  /** Whether the part's view is hidden. */
  protected get isOutOfSight(): boolean {
    return this.closest(".view[hidden]") !== null;
  }

  /** Keeps the focus in the page: an update may move, hide or remove the element that has it. */
  protected override update(changed: PropertyValues): void {
    const focused = document.activeElement;
    const around: HTMLElement[] = [];
    if (this.contains(focused)) for (let each = focused; each instanceof HTMLElement; each = each.parentElement) around.push(each);
    super.update(changed);
    if (around.length === 0 || (focused === document.activeElement && focused?.checkVisibility())) return;
    const heir = around.find((each) => (each === focused || each.tabIndex >= 0) && each.checkVisibility());
    if (heir) heir.focus({ preventScroll: true });
    else this.passFocus();
  }

  /** Called when the element that had the focus is gone and nothing around it can have the focus. */
  protected passFocus(): void {
    focusHeading();
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }
}

/** Focuses the heading of the visible view. */
export function focusHeading(): void {
  document.querySelector<HTMLElement>(".view:not([hidden]) h1")?.focus({ preventScroll: true });
}
