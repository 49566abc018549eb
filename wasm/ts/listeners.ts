/** Anything that may be given to `addEventListener`. */
type Listener = EventListenerOrEventListenerObject;

interface Registration {
  /** The function that is registered with the platform in the listener's place. */
  readonly handler: (event: Event) => void;
  readonly capture: boolean;
  /** Removes the abort listener from the signal. */
  readonly unlink: () => void;
}

/**
 * An `EventTarget` that counts its listeners. A client skips work that no listener needs, and stays alive as long as
 * it has listeners.
 */
export class ListenerTarget extends EventTarget {
  /** By type and listener. */
  readonly #registered = new Map<string, Map<Listener, Registration[]>>();
  #count = 0;

  /** Number of listeners. */
  protected get listenerCount(): number {
    return this.#count;
  }

  /** Number of listeners of one type. */
  protected listenerCountOf(type: string): number {
    let count = 0;
    for (const registrations of this.#registered.get(type)?.values() ?? []) count += registrations.length;
    return count;
  }

  /** Called when the number of listeners changes. */
  protected handleListeners(): void {}

  override addEventListener(
    type: string,
    listener: Listener | null,
    options: boolean | AddEventListenerOptions = false,
  ): void {
    if (!listener) return;
    const { capture = false, once = false, signal } = typeof options === "boolean" ? { capture: options } : options;
    if (signal?.aborted || this.#find(type, listener, capture)) return;
    const remove = () => this.removeEventListener(type, listener, capture);
    const handler = (event: Event) => {
      if (once) remove();
      if (typeof listener === "function") listener.call(this, event);
      else listener.handleEvent(event);
    };
    let listeners = this.#registered.get(type);
    if (!listeners) this.#registered.set(type, (listeners = new Map()));
    signal?.addEventListener("abort", remove);
    const unlink = () => signal?.removeEventListener("abort", remove);
    listeners.set(listener, [...(listeners.get(listener) ?? []), { handler, capture, unlink }]);
    super.addEventListener(type, handler, { capture });
    this.#count += 1;
    this.handleListeners();
  }

  override removeEventListener(
    type: string,
    listener: Listener | null,
    options: boolean | EventListenerOptions = false,
  ): void {
    if (!listener) return;
    const capture = typeof options === "boolean" ? options : (options.capture ?? false);
    const found = this.#find(type, listener, capture);
    if (!found) return;
    const listeners = this.#registered.get(type)!;
    const left = listeners.get(listener)!.filter((registration) => registration !== found);
    if (left.length > 0) listeners.set(listener, left);
    else listeners.delete(listener);
    found.unlink();
    // Node rejects a boolean here.
    super.removeEventListener(type, found.handler, { capture });
    this.#count -= 1;
    this.handleListeners();
  }

  #find(type: string, listener: Listener, capture: boolean): Registration | undefined {
    return this.#registered.get(type)?.get(listener)?.find((registration) => registration.capture === capture);
  }
}
