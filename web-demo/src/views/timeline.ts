import { html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";

import { laneChart, legend } from "../components/lane-chart.js";
import { sessionTable } from "../components/session-table.js";
import { select } from "../components/select.js";
import { skeletonRows } from "../components/skeleton.js";
import { shortMoment } from "../lib/format.js";
import { requestAhead, requestSessions, HISTORY_METHOD, lanes, type SessionWindow, type Window } from "../state/past-sessions.js";
import { hrefOf } from "../state/route.js";
import type { Session } from "../state/session.js";
import type { Target } from "../state/target.js";
import { View, viewHead } from "./view.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Selectable lengths of the window. */
const SPANS: readonly (readonly [ms: number, label: string])[] = [
  [5 * MINUTE, "5 minutes"],
  [15 * MINUTE, "15 minutes"],
  [HOUR, "1 hour"],
  [6 * HOUR, "6 hours"],
  [DAY, "24 hours"],
  [7 * DAY, "7 days"],
  [30 * DAY, "30 days"],
];
/** Refresh interval of a window that ends now, in ms. */
const REFRESH_MS = 5_000;
/** Time to wait for further key presses and clicks before the request, in ms. */
const SETTLE_MS = 150;

/** Shows who was connected when, from the gateway's history. */
@customElement("timeline-view")
export class TimelineView extends View {
  @state() private accessor spanMs: number = HOUR;
  /** End of the window; absent for now. */
  @state() private accessor endMs: number | undefined;
  @state() private accessor past: SessionWindow | undefined;
  @state() private accessor error = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Number of requests; only the answer to the latest is shown. */
  #asked = 0;
  #connId: string | undefined;
  /** How far the gateway's clock is ahead of this machine's, in ms, and the connection on which it was measured. */
  #aheadMs = 0;
  #measured: string | undefined;
  #target: Target | undefined;

  constructor(readonly session: Session) {
    super();
    this.follow(session.live);
  }

  protected override show(): void {
    this.#plan(0);
  }

  protected override hide(): void {
    clearTimeout(this.#timer);
    this.#asked += 1;
  }

  protected override willUpdate(): void {
    const { target } = this.session.live.value;
    if (target !== this.#target) {
      this.#target = target;
      this.past = undefined;
      this.error = "";
    }
    const connId = this.#connection?.connId;
    if (connId === this.#connId) return;
    this.#connId = connId;
    if (connId !== undefined && !this.isOutOfSight) this.#plan(0);
  }

  /** The connection, if its gateway has a history. */
  get #connection() {
    const connection = this.session.live.value.roster?.connection;
    return connection?.phase === "live" ? connection : undefined;
  }

  get #hasHistory(): boolean {
    return this.#connection?.methods.includes(HISTORY_METHOD) === true;
  }

  protected override render() {
    return html`
      ${viewHead("Timeline", "Who was connected when, from the gateway's history. Clients without a row are not listed.")}
      ${this.#content()}`;
  }

  #content() {
    const { target, roster } = this.session.live.value;
    if (target === undefined) return html`<p class="empty">Not connected to a gateway. <a href=${hrefOf("instances")}>Connect</a> first.</p>`;
    const canAsk = this.#connection !== undefined;
    if (canAsk && !this.#hasHistory)
      return html`<div class="card past-off"><h2>This gateway keeps no history</h2><p>Start it with <code>presence-gateway serve --history history.db</code>. From then on it writes sessions (who was connected, and when), and this page shows them.</p></div>`;
    const { past, error } = this;
    const isOffline = roster?.connection.phase === "waiting";
    const refusal = roster?.connection.phase === "refused" ? roster.connection.error.message : "";
    return html`
      ${this.#tools()}
      ${error && canAsk ? html`<p class="notice" role="alert">${error} <button type="button" class="button small" @click=${() => this.#plan(0)}>Try again</button></p>` : nothing}
      ${past ? this.#picture(past) : refusal ? html`<p class="empty">The gateway refuses this page: ${refusal}. <a href=${hrefOf("instances")}>Connect</a> with another secret.</p>` : isOffline ? html`<p class="empty">Offline: the history is read when the gateway can be reached again.</p>` : error ? html`<p class="empty">Nothing to show.</p>` : skeletonRows(6)}`;
  }

  #tools() {
    const at = SPANS.findIndex(([ms]) => ms === this.spanMs);
    const { fromMs, toMs } = this.#window;
    return html`
      <div class="tools">
        <div class="field"><label for="past-span">Window</label>${select("past-span", String(this.spanMs), SPANS.map(([ms, label]) => [String(ms), label] as const), (ms) => this.#setSpan(Number(ms)))}</div>
        <div class="actions" role="group" aria-label="Zoom">
          <button type="button" class="button" ?disabled=${at === SPANS.length - 1} @click=${() => this.#zoom(1)}>Zoom out</button>
          <button type="button" class="button" ?disabled=${at === 0} @click=${() => this.#zoom(-1)}>Zoom in</button>
        </div>
        <div class="actions" role="group" aria-label="Move">
          <button type="button" class="button" @click=${() => this.#move(-0.5)}>Earlier</button>
          <button type="button" class="button" ?disabled=${this.endMs === undefined} @click=${() => this.#move(0.5)}>Later</button>
          <button type="button" class="button" ?disabled=${this.endMs === undefined} @click=${() => this.#setEnd(undefined)}>Now</button>
        </div>
        <span class="sub num past-range">${shortMoment(fromMs)} – ${this.endMs === undefined ? "now" : shortMoment(toMs)}</span>
      </div>`;
  }

  #picture(past: SessionWindow) {
    const shown = lanes(past, this.session.thresholds, this.#nowMs);
    return html`
      ${past.isCut ? html`<p class="notice">Only the newest ${past.sessions.length} sessions of this window are shown. Zoom in to see the others.</p>` : nothing}
      <div class="past-columns">
        <section class="stack" aria-label="Picture">${legend()}${laneChart(shown, past, (event) => this.#key(event))}</section>
        ${shown.length > 0 ? html`<section class="stack" aria-label="Sessions">${sessionTable(past, this.#nowMs)}</section>` : nothing}
      </div>`;
  }

  /** Current time on the gateway's clock. */
  get #nowMs(): number {
    return Date.now() + this.#aheadMs;
  }

  get #window(): Window {
    const toMs = this.endMs ?? this.#nowMs;
    return { fromMs: Math.max(0, toMs - this.spanMs), toMs };
  }

  #key(event: KeyboardEvent): void {
    const act = {
      ArrowLeft: () => this.#move(-0.25),
      ArrowRight: () => this.#move(0.25),
      "+": () => this.#zoom(-1),
      "-": () => this.#zoom(1),
      End: () => this.#setEnd(undefined),
    }[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  }

  #zoom(steps: number): void {
    const at = SPANS.findIndex(([ms]) => ms === this.spanMs) + steps;
    const span = SPANS[Math.min(Math.max(at, 0), SPANS.length - 1)];
    if (span) this.#setSpan(span[0]);
  }

  #setSpan(spanMs: number): void {
    // Keeps the middle of the window, unless it ends now.
    if (this.endMs !== undefined) this.endMs = Math.min(this.endMs + (spanMs - this.spanMs) / 2, this.#nowMs);
    this.spanMs = spanMs;
    this.#plan(SETTLE_MS);
  }

  #move(windows: number): void {
    const end = this.#window.toMs + windows * this.spanMs;
    this.#setEnd(end >= this.#nowMs ? undefined : Math.max(end, this.spanMs));
  }

  #setEnd(endMs: number | undefined): void {
    this.endMs = endMs;
    this.#plan(SETTLE_MS);
  }

  #plan(afterMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(), afterMs);
  }

  async #ask(): Promise<void> {
    const { client } = this.session;
    if (!client || !this.#hasHistory) return;
    if (document.hidden) return this.#plan(REFRESH_MS);
    const asked = (this.#asked += 1);
    const isOld = () => asked !== this.#asked || client !== this.session.client;
    try {
      const connId = this.#connection?.connId;
      if (connId !== this.#measured) {
        const aheadMs = await requestAhead(client);
        if (isOld()) return;
        [this.#aheadMs, this.#measured] = [aheadMs, connId];
      }
      const past = await requestSessions(client, this.#window);
      if (isOld()) return;
      this.past = past;
      this.error = "";
    } catch (error) {
      if (isOld()) return;
      this.error = error instanceof Error ? error.message : String(error);
    }
    if (this.endMs === undefined) this.#plan(REFRESH_MS);
  }
}
