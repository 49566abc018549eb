import type { ConnectionState, PresenceError } from "openclaw-presence";

import { h, replace, set, write } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import type { Live, Session } from "../state/session.js";

/** What a person can do about a refusal, by its code, where the gateway did not say. */
const REMEDIES: Readonly<Record<string, string>> = {
  AUTH_TOKEN_MISMATCH: "Use the token that the gateway printed at its start; it may be a new one since.",
  AUTH_TOKEN_MISSING: "This gateway asks for a token: it is printed at its start.",
  ORIGIN_NOT_ALLOWED: "Allow the address of this page: --allowed-origin here, gateway.controlUi.allowedOrigins in OpenClaw.",
  WASM_BLOCKED: "Whoever serves this page has to allow WebAssembly.",
};

/**
 * How the connection is: two calm lines while it lives, and what to do when it does not. Coming and going takes no
 * other room: nothing below it moves.
 */
export class ConnectionBar {
  readonly element = h("section", { class: "connection", "aria-label": "Connection" });
  readonly #title = h("strong");
  readonly #when = h("span", { class: "num" });
  readonly #text = h("p", { class: "connection-text" });
  readonly #remedy = h("p", { class: "remedy" });
  readonly #notices = h("div", { class: "notices" });
  readonly #retry = h("button", { type: "button", class: "button" }, icon("restart"), h("span", {}, "Try now"));
  readonly #change = h("button", { type: "button", class: "button quiet" }, icon("drop"), h("span", {}, "Disconnect"));
  #state: ConnectionState | undefined;
  #ticker: ReturnType<typeof setInterval> | undefined;

  constructor(session: Session) {
    this.#retry.addEventListener("click", () => session.retry());
    this.#change.addEventListener("click", () => session.disconnect());
    replace(
      this.element,
      h(
        "div",
        { class: "connection-line" },
        h("span", { class: "pulse", "aria-hidden": "true" }),
        h("div", { class: "connection-words" }, h("p", { class: "connection-head" }, this.#title, " ", this.#when), this.#text, this.#remedy),
        h("div", { class: "actions" }, this.#retry, this.#change),
      ),
      this.#notices,
    );
    session.live.watch((live) => this.#show(live));
  }

  #show({ roster, target, notices }: Live): void {
    const state = roster?.connection ?? { phase: "connecting" };
    this.element.hidden = target === undefined;
    replace(this.#notices, notices.map(noticeLine));
    set(this.element, "data-offline", roster?.isOffline === true && roster.rows.length > 0 ? "" : undefined);
    if (state === this.#state) return;
    this.#state = state;
    set(this.element, "data-phase", state.phase);
    this.#retry.hidden = state.phase !== "waiting" && state.phase !== "refused";
    write(this.#title, TITLES[state.phase]);
    const error = "error" in state ? state.error : undefined;
    write(this.#remedy, error ? (error.remedy ?? REMEDIES[error.code] ?? "") : "");
    this.#remedy.hidden = this.#remedy.textContent === "";
    clearInterval(this.#ticker);
    write(this.#text, words(state, target?.url ?? ""));
    // On a narrow screen the end of it is cut off.
    set(this.#text, "title", this.#text.textContent ?? "");
    const retryAtMs = state.phase === "waiting" ? performance.now() + state.retryInMs : undefined;
    const say = () => write(this.#when, retryAtMs === undefined ? "" : retryWords(retryAtMs));
    say();
    if (state.phase === "waiting") this.#ticker = setInterval(say, 1_000);
  }
}

const TITLES = {
  live: "Live",
  connecting: "Connecting…",
  waiting: "Offline",
  refused: "The gateway refuses this page",
  stopped: "Not connected",
} as const;

function words(state: ConnectionState, url: string): string {
  switch (state.phase) {
    case "live": {
      const version = state.serverVersion && `gateway ${state.serverVersion}`;
      return [url, version, `protocol ${state.protocol}`].filter(Boolean).join(" · ");
    }
    case "waiting":
      return `${reason(state.error)} Rows are as last heard, and age.`;
    case "refused":
      return `${url}: ${state.error.message}`;
    default:
      return url;
  }
}

function retryWords(retryAtMs: number): string {
  const seconds = Math.max(0, Math.ceil((retryAtMs - performance.now()) / 1_000));
  return seconds === 0 ? "trying again now" : `trying again in ${seconds} s`;
}

function reason({ message }: PresenceError): string {
  return message === "" ? "" : `${message[0]?.toUpperCase()}${message.slice(1)}.`;
}

function noticeLine(error: PresenceError): HTMLElement {
  const remedy = error.remedy ?? REMEDIES[error.code];
  return h("p", { class: "notice", role: "status" }, `${reason(error)} ${remedy ?? ""}`.trim());
}
