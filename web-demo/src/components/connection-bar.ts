import type { ConnectionState, PresenceError } from "openclaw-presence";
import { html } from "lit";
import { customElement } from "lit/decorators.js";

import { icon } from "../lib/icons.js";
import { Part } from "../lib/part.js";
import type { Session } from "../state/session.js";

/** What a person can do about a refusal, by its code, where the gateway did not say. */
const REMEDIES: Readonly<Record<string, string>> = {
  AUTH_TOKEN_MISMATCH: "Use the token that the gateway printed at its start; it may be a new one since.",
  AUTH_TOKEN_MISSING: "This gateway asks for a token: it is printed at its start.",
  ORIGIN_NOT_ALLOWED: "Allow the address of this page: --allowed-origin here, gateway.controlUi.allowedOrigins in OpenClaw.",
  WASM_BLOCKED: "Whoever serves this page has to allow WebAssembly.",
};

const TITLES = {
  live: "Live",
  connecting: "Connecting…",
  waiting: "Offline",
  refused: "The gateway refuses this page",
  stopped: "Not connected",
} as const;

/**
 * How the connection is: two calm lines while it lives, and what to do when it does not. Coming and going takes no
 * other room: nothing below it moves.
 */
@customElement("connection-bar")
export class ConnectionBar extends Part {
  #state: ConnectionState | undefined;
  #retryAtMs = 0;
  #ticker: ReturnType<typeof setInterval> | undefined;

  /** @param disconnect The user wants no connection to this gateway any more. */
  constructor(
    readonly session: Session,
    readonly disconnect = () => session.disconnect(),
  ) {
    super();
    this.follow(session.live);
  }

  protected override willUpdate(): void {
    const state = this.session.live.value.roster?.connection;
    if (state === this.#state) return;
    this.#state = state;
    clearInterval(this.#ticker);
    if (state?.phase !== "waiting") return;
    this.#retryAtMs = performance.now() + state.retryInMs;
    this.#ticker = setInterval(() => this.requestUpdate(), 1_000);
  }

  protected override render() {
    const { session } = this;
    const { roster, target, notices } = session.live.value;
    const state = this.#state ?? { phase: "connecting" };
    // On a narrow screen the end of it is cut off: the title has it all.
    const text = words(state, target?.url ?? "");
    const remedy = "error" in state ? remedyOf(state.error) : "";
    const when = state.phase === "waiting" ? retryWords(this.#retryAtMs - performance.now()) : "";
    return html`
      <section class="connection" aria-label="Connection" data-phase=${state.phase} ?hidden=${target === undefined} ?data-offline=${roster?.isOffline === true && roster.rows.length > 0}>
        <div class="connection-line">
          <span class="pulse" aria-hidden="true"></span>
          <div class="connection-words">
            <p class="connection-head"><strong>${TITLES[state.phase]}</strong> <span class="num">${when}</span></p>
            <p class="connection-text" title=${text}>${text}</p>
            <p class="remedy" ?hidden=${remedy === ""}>${remedy}</p>
          </div>
          <div class="actions">
            <button type="button" class="button" ?hidden=${state.phase !== "waiting" && state.phase !== "refused"} @click=${() => session.retry()}>${icon("restart")}<span>Try now</span></button>
            <button type="button" class="button quiet" @click=${this.disconnect}>${icon("drop")}<span>Disconnect</span></button>
          </div>
        </div>
        <div class="notices">${notices.map((error) => html`<p class="notice" role="status">${`${reason(error)} ${remedyOf(error)}`.trim()}</p>`)}</div>
      </section>`;
  }
}

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

function retryWords(inMs: number): string {
  const seconds = Math.max(0, Math.ceil(inMs / 1_000));
  return seconds === 0 ? "trying again now" : `trying again in ${seconds} s`;
}

function reason({ message }: PresenceError): string {
  return message === "" ? "" : `${message[0]?.toUpperCase()}${message.slice(1)}.`;
}

function remedyOf(error: PresenceError): string {
  return error.remedy ?? REMEDIES[error.code] ?? "";
}
