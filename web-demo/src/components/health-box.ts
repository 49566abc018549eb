import { html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";

import { count, duration } from "../lib/format.js";
import { Part } from "../lib/part.js";
import type { Session } from "../state/session.js";
import { facts } from "./facts.js";

/** Interval of refreshes and of latency measurements, in ms. */
const REFRESH_MS = 1_000;
const MEASURE_MS = 5_000;

/** Shows the health of the connection. It measures only while it is open and visible. */
@customElement("health-box")
export class HealthBox extends Part {
  @state() private accessor isOpen = false;

  constructor(readonly session: Session) {
    super();
    this.follow(session.live);
    this.every(REFRESH_MS, () => this.isOpen && this.requestUpdate());
    this.every(MEASURE_MS, () => void this.#measure());
  }

  protected override render() {
    const isLive = this.session.live.value.roster?.connection.phase === "live";
    return html`
      <details class="card timeline health" @toggle=${this.#toggle}>
        <summary><h2>Connection health</h2><span class="sub">${isLive ? "live" : "offline"}</span></summary>
        ${this.isOpen ? this.#facts() : nothing}
      </details>`;
  }

  #facts() {
    const { health, live, thresholds } = this.session;
    const connection = live.value.roster?.connection;
    const isLive = connection?.phase === "live";
    const { latencyMs, lastFrameAtMs } = health;
    const last = lastFrameAtMs === undefined ? "" : `The latest ${duration(Date.now() - lastFrameAtMs)} ago.`;
    return facts([
      ["latency", "Latency", isLive && latencyMs !== undefined ? `${latencyMs.toFixed(1)} ms` : "–", `One request and its answer, measured every ${MEASURE_MS / 1_000} s while this is open.`],
      ["connections", "Connections", String(health.connections), "Each after the first is a reconnect."],
      ["received", "Received", `${count(health.framesIn, "frame")}, ${(health.bytesIn / 1_000).toFixed(1)} kB`, last],
      ["sent", "Sent", count(health.framesOut, "frame")],
      ["lists", "List requests", String(health.listRequests), "Requests for the whole list: after a missed frame or a digest that differs; without deltas also before a status would change."],
      ["methods", "Gateway", isLive ? `protocol ${connection.protocol}, ${count(connection.methods.length, "method")}` : "–", isLive && connection.connId ? `Connection ${connection.connId}` : ""],
      ["statuses", "Statuses", `Active up to ${duration(thresholds.activeMs)}, Idle up to ${duration(thresholds.idleMs)}, then Stale`, "By the age of a row, on the gateway's clock."],
    ]);
  }

  #toggle(event: Event): void {
    this.isOpen = (event.target as HTMLDetailsElement).open;
    void this.#measure();
  }

  async #measure(): Promise<void> {
    const { client, health, live } = this.session;
    if (!this.isOpen || document.hidden || this.isOutOfSight) return;
    if (client && live.value.roster?.connection.phase === "live") await health.measure(client);
    this.requestUpdate();
  }
}
