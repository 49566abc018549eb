import { PresenceError } from "openclaw-presence";
import { html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";

import { Part } from "../lib/part.js";
import { hrefOf } from "../state/route.js";
import type { Secret } from "../state/secret-link.js";
import { findOwnGateway, ownGatewayUrl, type Target } from "../state/target.js";

/** Number of forms so far; makes ids unique on the page. */
let forms = 0;
const DEFAULT_URL = "ws://127.0.0.1:18789";

/** Form for the address and secret of a gateway, shown when no link states them. */
@customElement("connect-form")
export class ConnectForm extends Part {
  @state() private accessor url = DEFAULT_URL;
  @state() private accessor secret = "";
  @state() private accessor kind: Secret["kind"] = "token";
  @state() private accessor error = "";
  @state() private accessor found = "";
  #suggested: string | undefined;
  readonly #number = (forms += 1);

  /**
   * @param connect throws the error of an invalid address.
   * @param cancel is called when the user cancels an additional gateway; absent in the form of the first.
   */
  constructor(
    readonly connect: (target: Target) => void,
    readonly cancel?: () => void,
  ) {
    super();
  }

  /** Fills in a gateway. A later call does not overwrite the address. */
  suggest({ url, secret }: Target): void {
    if (this.#suggested === url) return;
    this.#suggested = this.url = url;
    if (secret) this.kind = secret.kind;
  }

  /** Fills in the gateway that serves this page; connects to it if it requires no secret. */
  async findGateway(): Promise<void> {
    const own = await findOwnGateway();
    // Meanwhile the user may have connected to a gateway, or typed another address.
    if (!own || this.hidden || this.url !== DEFAULT_URL) return;
    this.url = ownGatewayUrl();
    if (own.auth === "none") return this.#submit();
    this.kind = own.auth;
    this.found = `This page is served by a gateway (${own.version}) that requires its ${own.auth}. The link it printed signs you in.`;
  }

  protected override render() {
    const { url, secret, kind, error, found } = this;
    const type = (event: Event) => (event.target as HTMLInputElement).value;
    const id = (name: string) => `gateway-${this.#number}-${name}`;
    return html`
      <div class="welcome" ?data-alone=${this.cancel !== undefined}>
        <section class="card">
          <h2>${this.cancel ? "Connect to another gateway" : "Connect to a gateway"}</h2>
          <p ?hidden=${this.cancel !== undefined}>See who is connected to OpenClaw, live: the gateway, mac apps, WebChat tabs, nodes.</p>
          <p class="sub" ?hidden=${found === ""}>${found}</p>
          <form class="connect-form" novalidate @submit=${this.#submit}>
            <label for=${id("url")}>Address of the gateway</label>
            <input id=${id("url")} type="text" inputmode="url" required autocomplete="url" spellcheck="false" .value=${url}
              aria-invalid=${error === "" ? nothing : "true"} aria-describedby=${error === "" ? nothing : id("error")} @input=${(event: Event) => (this.url = type(event))}>
            <label for=${id("secret")}>Secret</label>
            <div class="joined">
              <label for=${id("kind")} class="off-screen">Kind of secret</label>
              <select id=${id("kind")} .value=${kind} @change=${(event: Event) => (this.kind = type(event) === "password" ? "password" : "token")}>
                <option value="token">Token</option>
                <option value="password">Password</option>
              </select>
              <input id=${id("secret")} type="password" autocomplete="off" spellcheck="false" .value=${secret} @input=${(event: Event) => (this.secret = type(event))}>
            </div>
            <p class="sub">Printed by the gateway at its start. Kept in this tab and those it opens (sessionStorage), so that a reload works, and sent only to the gateway.</p>
            <p id=${id("error")} class="form-error" role="alert" ?hidden=${error === ""}>${error}</p>
            <div class="actions">
              <button type="submit" class="button primary">Connect</button>
              ${this.cancel ? html`<button type="button" class="button quiet" @click=${this.cancel}>Cancel</button>` : nothing}
            </div>
          </form>
        </section>
        ${this.cancel ? nothing : withoutGateway()}
      </div>`;
  }

  #submit(event?: Event): void {
    event?.preventDefault();
    const [url, text] = [this.url.trim(), this.secret.trim()];
    try {
      this.connect(text === "" ? { url } : { url, secret: { kind: this.kind, text } });
      this.secret = this.error = "";
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.error = error instanceof PresenceError ? `${message}. An address looks like ${DEFAULT_URL}.` : message;
      this.querySelector<HTMLElement>("input")?.focus();
    }
  }
}

function withoutGateway() {
  return html`
    <section class="card">
      <h2>No gateway at hand?</h2>
      <ul class="instead">
        <li><a href=${hrefOf("playground")}>Open the playground</a><p class="sub">A whole gateway in this page: duplicate rows, stale rows, tunnels, and a slider for time.</p></li>
        <li><a href=${hrefOf("paste")}>Paste a list</a><p class="sub">From any OpenClaw gateway. See one row per instance, and why some rows look alike.</p></li>
      </ul>
      <p>Or start one: <code>presence-gateway</code> prints a link that brings you back here, signed in.</p>
    </section>`;
}
