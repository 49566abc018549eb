import { ageText } from "openclaw-presence";
import { html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";

import { isoMoment, moment } from "../lib/format.js";
import { Part } from "../lib/part.js";
import { placesOf } from "../state/finding-rows.js";
import { requestAhead, requestSeen, HISTORY_METHOD, type SeenInstance } from "../state/past-sessions.js";
import type { Session } from "../state/session.js";

/** Lists clients that left, from the gateway's history, which it requests when opened. The roster never lists them. */
@customElement("seen-box")
export class SeenBox extends Part {
  @state() private accessor isOpen = false;
  /** Absent while the request is pending. */
  @state() private accessor seen: readonly SeenInstance[] | undefined;
  @state() private accessor error = "";
  /** How far the gateway's clock is ahead of this machine's, in ms. */
  #aheadMs = 0;

  constructor(readonly session: Session) {
    super();
    this.follow(session.live);
  }

  protected override render() {
    const connection = this.session.live.value.roster?.connection;
    if (connection?.phase !== "live" || !connection.methods.includes(HISTORY_METHOD)) return nothing;
    return html`
      <details class="card timeline seen-box" ?open=${this.isOpen} @toggle=${this.#toggle}>
        <summary><h2>Seen before</h2><span class="sub">from the history</span></summary>
        ${this.isOpen ? this.#content() : nothing}
      </details>`;
  }

  #content() {
    if (this.error) return html`<p class="sub" role="alert">${this.error}</p>`;
    if (!this.seen) return html`<p class="sub">Asking the gateway…</p>`;
    const listed = new Map(this.session.live.value.roster?.rows.map(({ key }, index) => [key, index]));
    const gone = this.seen.filter(({ key }) => placesOf(key, listed).length === 0);
    const age = (ms: number) => ageText(Math.max(0, Date.now() + this.#aheadMs - ms));
    return html`
      <ol class="timeline-events">${gone.length === 0
        ? html`<li class="sub">No client has left.</li>`
        : gone.map(({ name, seenMs }) => html`<li><time class="num" datetime=${isoMoment(seenMs)} title=${moment(seenMs)}>${age(seenMs)}</time>${name}</li>`)}</ol>`;
  }

  async #toggle({ target }: Event): Promise<void> {
    this.isOpen = (target as HTMLDetailsElement).open;
    const { client } = this.session;
    if (!this.isOpen || !client) return;
    [this.seen, this.error] = [undefined, ""];
    try {
      this.#aheadMs = await requestAhead(client);
      this.seen = await requestSeen(client);
    } catch (error) {
      this.error = error instanceof Error ? error.message : String(error);
    }
  }
}
