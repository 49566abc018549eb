import type { ConnectionState, PresenceError } from "openclaw-presence";
import { html } from "lit";
import { customElement } from "lit/decorators.js";

import { icon } from "../lib/icons.js";
import { Part } from "../lib/part.js";
import type { Session } from "../state/session.js";

/** Remedies for refusals by code, for gateways that send none. */
const REMEDIES: Readonly<Record<string, string>> = {
  AUTH_TOKEN_MISMATCH: "Use the token that the gateway printed at its start; it may have changed since.",
  AUTH_TOKEN_MISSING: "This gateway requires a token, which it prints at its start.",
  ORIGIN_NOT_ALLOWED: "Allow the address of this page: --allowed-origin here, gateway.controlUi.allowedOrigins in OpenClaw.",
  WASM_BLOCKED: "The server of this page has to allow WebAssembly.",
};

const TITLES = {
  live: "Live",
  connecting: "Connecting…",
  waiting: "Offline",
  refused: "The gateway refuses this page",
  stopped: "Not connected",
} as const;

/**
 * Shows the state of the connection: two quiet lines while it is live, otherwise with a remedy. Its height does not
 * change, so the page does not shift.
 */
@customElement("connection-bar")
export class ConnectionBar extends Part {
  #state: ConnectionState | undefined;
  #retryAtMs = 0;
  #ticker: ReturnType<typeof setInterval> | undefined;

  /** @param disconnect is called when the user disconnects from this gateway. */
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
    // Narrow screens truncate the text, so the title repeats it.
    const text = words(state, target?.url ?? "", roster?.hasList === true);
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

function words(state: ConnectionState, url: string, hasList: boolean): string {
  switch (state.phase) {
    case "live": {
      const version = state.serverVersion && `gateway\u00A0${state.serverVersion}`;
      return [url, version].filter(Boolean).join(" · ");
    }
    case "waiting":
      // First what it means for the list, since narrow screens truncate the reason.
      return `${hasList ? "Rows are as last heard. " : ""}${reason(state.error)}`;
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
