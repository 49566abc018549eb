import { LitElement } from "lit";

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
    let end: (() => void) | undefined;
    this.addController({
      hostConnected: () => (end = store.watch(() => this.requestUpdate())),
      hostDisconnected: () => end?.(),
    });
  }

  /** Parts of a hidden view are not updated; the view updates them when it is shown. */
  protected override shouldUpdate(): boolean {
    return !this.isOutOfSight;
  }

  /** Whether the part's view is hidden. */
  protected get isOutOfSight(): boolean {
    return this.closest(".view[hidden]") !== null;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }
}
