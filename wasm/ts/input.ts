import { systemClock, type Clock } from "./clock.js";

/** What an {@link InputMonitor} tells. */
export interface InputListener {
  /** The user did something here; at most once per second. */
  input(): void;
  /** The page was hidden, or shown again. */
  visibility(visible: boolean): void;
  /** The network is there again, or the page came back from the back/forward cache. */
  online(): void;
}

/** The page's parts that an {@link InputMonitor} listens to. */
export interface InputTargets {
  readonly window: Pick<EventTarget, "addEventListener" | "removeEventListener">;
  readonly document: Pick<EventTarget, "addEventListener" | "removeEventListener"> & {
    readonly visibilityState: DocumentVisibilityState;
  };
}

/** Anything a hand does. Listening is passive and first in line, whatever the page stops. */
const INPUT_EVENTS = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"] as const;
const LISTEN = { passive: true, capture: true } as const;

/** Pointers move a hundred times a second; beacons report whole seconds. */
const THROTTLE_MS = 1_000;

/** The page this runs in; nothing outside of pages. */
export function pageTargets(): InputTargets | undefined {
  if (typeof window === "undefined" || typeof document === "undefined") return undefined;
  return { window, document };
}

/** What an engine has of a page that is watched. */
export type PageWatch = Pick<InputMonitor, "isVisible" | "stop">;

/** Watches the page this runs in; nothing outside of pages. */
export function watchOwnPage(listener: InputListener, clock: Pick<Clock, "ageMs">): PageWatch | undefined {
  const targets = pageTargets();
  return targets && new InputMonitor(targets, clock, listener);
}

/**
 * Calls the listener when the user did something on this page, at most once per second; it decides what beacons say of the
 * last input. Returns the function that ends it. Outside of pages nothing is heard.
 */
export function watchInput(listener: () => void, clock: Pick<Clock, "ageMs"> = systemClock): () => void {
  const nothing = () => {};
  const watch = watchOwnPage({ input: listener, visibility: nothing, online: nothing }, clock);
  return () => watch?.stop();
}

/** Listens for the last user input and for the page's comings and goings, from construction to `stop`. */
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

  /** Listens no longer; twice does nothing. */
  stop(): void {
    const { window, document } = this.#targets;
    for (const type of INPUT_EVENTS) window.removeEventListener(type, this.#onInput, LISTEN);
    window.removeEventListener("online", this.#onOnline);
    window.removeEventListener("pageshow", this.#onPageShow);
    document.removeEventListener("visibilitychange", this.#onVisibility);
  }

  readonly #onInput = (event: Event): void => {
    // What a script dispatches is no hand.
    if (event.isTrusted) this.#report();
  };

  readonly #onVisibility = (): void => {
    const visible = this.isVisible;
    this.#listener.visibility(visible);
    // Somebody switched to this tab.
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
