/** Anything that may be given to `addEventListener`. */
type Listener = EventListenerOrEventListenerObject;

interface Registration {
  readonly type: string;
  readonly listener: Listener;
  readonly capture: boolean;
  /** The function that is registered with the platform in the listener's place. */
  readonly handler: (event: Event) => void;
  /** Removes the abort listener from the signal. */
  readonly unlink: () => void;
}

/**
 * An `EventTarget` that counts its listeners. A client skips work that no listener needs, and stays alive as long as
 * it has listeners.
 */
export class ListenerTarget extends EventTarget {
  readonly #registered = new Set<Registration>();

  /** Number of listeners. */
  protected get listenerCount(): number {
    return this.#registered.size;
  }

  /** Whether an event type has listeners. */
  protected hasListeners(type: string): boolean {
    for (const registered of this.#registered) if (registered.type === type) return true;
    return false;
  }

  /** Called when the number of listeners changes. */
  protected handleListeners(): void {}

  override addEventListener(
    type: string,
    listener: Listener | null,
    options: boolean | AddEventListenerOptions | null = false,
  ): void {
    if (!listener) return;
    const { capture = false, once = false, signal } = typeof options === "boolean" ? { capture: options } : (options ?? {});
    if (signal?.aborted || this.#find(type, listener, capture)) return;
    const remove = () => this.removeEventListener(type, listener, capture);
    const handler = (event: Event) => {
      if (once) remove();
      if (typeof listener === "function") listener.call(this, event);
      else listener.handleEvent(event);
    };
    signal?.addEventListener("abort", remove);
    const unlink = () => signal?.removeEventListener("abort", remove);
    this.#registered.add({ type, listener, capture, handler, unlink });
    super.addEventListener(type, handler, { capture });
    this.handleListeners();
  }

  override removeEventListener(
    type: string,
    listener: Listener | null,
    options: boolean | EventListenerOptions | null = false,
  ): void {
    if (!listener) return;
    const capture = typeof options === "boolean" ? options : (options?.capture ?? false);
    const found = this.#find(type, listener, capture);
    if (!found) return;
    this.#registered.delete(found);
    found.unlink();
    // Node rejects a boolean here.
    super.removeEventListener(type, found.handler, { capture });
    this.handleListeners();
  }

  #find(type: string, listener: Listener, capture: boolean): Registration | undefined {
    for (const registered of this.#registered) {
      if (registered.listener === listener && registered.type === type && registered.capture === capture) return registered;
    }
    return undefined;
  }
}
