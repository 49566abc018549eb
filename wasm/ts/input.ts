import { systemClock, type Clock } from "./clock.js";

/** The listener of an {@link InputMonitor}. */
export interface InputListener {
  /** Called at user input on this page; at most once per second. */
  input(): void;
  /** Called when the page is hidden or shown. */
  visibility(visible: boolean): void;
  /** Called when the network is back, or when the page returns from the back/forward cache. */
  online(): void;
}

/** The page's parts that an {@link InputMonitor} listens to. */
export interface InputTargets {
  readonly window: Pick<EventTarget, "addEventListener" | "removeEventListener">;
  readonly document: Pick<EventTarget, "addEventListener" | "removeEventListener"> & {
    readonly visibilityState: DocumentVisibilityState;
  };
}

/**
 * All kinds of user input. Screen readers click without a pointer, and dictation inserts text without keys. Listeners are
 * passive and capture first, so that pages cannot stop the events.
 */
const INPUT_EVENTS = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart", "click", "beforeinput"] as const;
const LISTEN = { passive: true, capture: true } as const;

/** Pointers move a hundred times a second; beacons report whole seconds. */
const THROTTLE_MS = 1_000;

/** The page this runs in; absent outside of pages. */
export function pageTargets(): InputTargets | undefined {
  if (typeof window === "undefined" || typeof document === "undefined") return undefined;
  return { window, document };
}

/** The monitor's members that an engine uses. */
export type PageWatch = Pick<InputMonitor, "isVisible" | "stop">;

/** Watches the page this runs in; `undefined` outside of pages. */
export function watchOwnPage(listener: InputListener, clock: Pick<Clock, "ageMs">): PageWatch | undefined {
  const targets = pageTargets();
  return targets && new InputMonitor(targets, clock, listener);
}

/**
 * Calls the listener at user input on this page, at most once per second. Beacons report the time since such input.
 * Does nothing outside of pages.
 *
 * @returns a function that stops it.
 */
export function watchInput(listener: () => void, clock: Pick<Clock, "ageMs"> = systemClock): () => void {
  const nothing = () => {};
  const watch = watchOwnPage({ input: listener, visibility: nothing, online: nothing }, clock);
  return () => watch?.stop();
}

/** Listens for user input and for changes of the page's visibility, from construction to `stop`. */
export class InputMonitor {
  readonly #targets: InputTargets;
  readonly #listener: InputListener;
  readonly #clock: Pick<Clock, "ageMs">;
  #reportedAtMs = Number.NEGATIVE_INFINITY;

  constructor(targets: InputTargets, clock: Pick<Clock, "ageMs">, listener: InputListener) {
    this.#targets = targets;
    this.#clock = clock;
    this.#listener = listener;
    for (const type of INPUT_EVENTS) targets.window.addEventListener(type, this.#onInput, LISTEN);
    targets.window.addEventListener("online", this.#onOnline);
    targets.window.addEventListener("pageshow", this.#onPageShow);
    targets.document.addEventListener("visibilitychange", this.#onVisibility);
  }

  /** Whether the page can be seen. */
  get isVisible(): boolean {
    return this.#targets.document.visibilityState !== "hidden";
  }

  /** Stops listening; a second call does nothing. */
  stop(): void {
    const { window, document } = this.#targets;
    for (const type of INPUT_EVENTS) window.removeEventListener(type, this.#onInput, LISTEN);
    window.removeEventListener("online", this.#onOnline);
    window.removeEventListener("pageshow", this.#onPageShow);
    document.removeEventListener("visibilitychange", this.#onVisibility);
  }

  readonly #onInput = (event: Event): void => {
    // Events dispatched by scripts are not user input.
    if (event.isTrusted) this.#report();
  };

  readonly #onVisibility = (): void => {
    const visible = this.isVisible;
    this.#listener.visibility(visible);
    // The user switched to this tab.
    if (visible) this.#report();
  };

  readonly #onOnline = (): void => this.#listener.online();

  readonly #onPageShow = (event: Event): void => {
    if ((event as PageTransitionEvent).persisted) this.#listener.online();
  };

  #report(): void {
    const now = this.#clock.ageMs();
    if (now - this.#reportedAtMs < THROTTLE_MS) return;
    this.#reportedAtMs = now;
    this.#listener.input();
  }
}
