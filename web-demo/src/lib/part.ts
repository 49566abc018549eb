import { LitElement } from "lit";

import type { Store } from "./store.js";

/** A part of the page, made with `new`. It draws into the page itself, so that there is one stylesheet. */
export abstract class Part extends LitElement {
  /** @param className by default the element has no box of its own. */
  constructor(className = "part") {
    super();
    this.className = className;
  }

  /** Draws this part again when the store has another value. */
  protected follow<T>(store: Store<T>): void {
    let end: (() => void) | undefined;
    this.addController({
      hostConnected: () => (end = store.watch(() => this.requestUpdate())),
      hostDisconnected: () => end?.(),
    });
  }

  /** Parts of a hidden view draw nothing: the view draws them when it is shown. */
  protected override shouldUpdate(): boolean {
    return !this.isOutOfSight;
  }

  /** Whether the view that it belongs to is hidden. */
  protected get isOutOfSight(): boolean {
    return this.closest(".view[hidden]") !== null;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }
}
