import { rowDevice, rowName, type FindingReport, type PresenceRow } from "openclaw-presence";
import { html } from "lit";
import { customElement, state } from "lit/decorators.js";

import { ConnectionBar } from "../components/connection-bar.js";
import { facts } from "../components/facts.js";
import { card, findingCard } from "../components/findings.js";
import { InputClock } from "../components/input-clock.js";
import { RosterTable } from "../components/roster-table.js";
import { count, duration, timeOfDay } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { findingRows } from "../state/finding-rows.js";
import { hrefOf } from "../state/route.js";
import type { Session } from "../state/session.js";
import type { TourLog } from "../state/tour.js";
import { View, viewHead } from "./view.js";

/** Default TTL of a row after its last proof of life. */
const TTL_MS = 300_000;

/** Shows what this page sends about itself, and lets the user remove its identity. */
@customElement("this-tab-view")
export class ThisTabView extends View {
  @state() private accessor beaconSaid = "";
  readonly #bar: ConnectionBar;
  readonly #clock = new InputClock();
  readonly #table = new RosterTable("Rows of this tab", {
    open: (key) => {
      // Escape closes details, and there are none.
      if (key !== undefined) location.hash = hrefOf("instances");
    },
  });
  /** Row of the live connection. */
  #current: PresenceRow | undefined;
  /** All rows of this tab. */
  #mine: readonly PresenceRow[] = [];
  /** Rows of earlier connections of this tab. */
  #left: readonly PresenceRow[] = [];
  /** Findings about rows of this tab. */
  #findings: readonly FindingReport[] = [];

  constructor(
    readonly session: Session,
    readonly tour: TourLog,
  ) {
    super();
    this.#bar = new ConnectionBar(session);
    this.follow(session.live);
    document.addEventListener("visibilitychange", () => this.requestUpdate());
  }

  protected override willUpdate(): void {
    const { identities, live } = this.session;
    const { roster, findings } = live.value;
    const rows = roster?.rows ?? [];
    const current = rows.find((row) => identities.isCurrent(row));
    this.#current = current;
    this.#mine = rows.filter((row) => row.isOwn || identities.find(row) !== undefined || isBeaconRow(row, current));
    this.#left = this.#mine.filter((row) => identities.find(row) && !identities.isCurrent(row));
    const mine = new Set(this.#mine);
    const about = findingRows(findings, rows);
    this.#findings = findings.filter((finding) => about.rowsOf(finding).some((row) => mine.has(row)));
  }

  protected override updated(): void {
    const { roster, findings } = this.session.live.value;
    const current = this.#current;
    this.#table.content = {
      rows: this.#mine,
      order: "seen",
      suspects: findingRows(findings, roster?.rows ?? []).suspects,
      badge: (row) => (row === current ? "this tab, now" : isBeaconRow(row, current) ? "its beacons" : "left over"),
    };
    if (roster?.connection.phase === "live" && this.#left.length > 0) this.tour.reach("duplicate");
  }

  protected override render() {
    const { session } = this;
    const { target, roster, isStable, hasBeacons } = session.live.value;
    const mine = this.#mine;
    return html`
      ${viewHead("This tab", "What this page sends to the gateway, and how it is listed without a stable identity.", this.#bar)}
      <section class="empty" ?hidden=${target !== undefined}>
        <p>This tab is in no roster: it is not connected to a gateway.</p>
        <a class="button primary" href=${hrefOf("instances")}>Connect</a>
      </section>
      <div class="columns tab-columns" ?hidden=${target === undefined}>
        <div class="stack">
          <section class="card"><h2>What it reports</h2>${this.#facts()}</section>
          <section class="card">
            <h2>Beacons</h2>
            <p>Once a minute, and when you come back after a while, the tab sends a beacon with the time since your last input. It never sends what you type.</p>
            <div class="actions">
              <button type="button" role="switch" class="switch" aria-checked=${hasBeacons} @click=${() => session.setBeacons(!hasBeacons)}><span class="switch-knob"></span><span>Send beacons</span></button>
              <button type="button" class="button" ?disabled=${roster?.connection.phase !== "live"} @click=${this.#beacon}>${icon("signal")}Send one now</button>
            </div>
            <p class="sub">${isStable ? "" : "Without an identity its beacons have no id either, and the gateway would list them under their text: they are off."}</p>
            <p class="sub" role="status">${this.beaconSaid}</p>
          </section>
        </div>
        <div class="stack">
          <section class="card">
            <h2>Make a duplicate</h2>
            <p>The same tab connects again, but without its instanceId, its device key and beacons. The gateway cannot recognize it, so a second row appears beside the old one: the most common duplicate.</p>
            <div class="actions">
              <button type="button" class="button primary" @click=${() => session.setStable(false)}>${icon("twins")}<span>${isStable ? "Reconnect without a stable identity" : "Reconnect once more"}</span></button>
              <button type="button" class="button" ?disabled=${isStable} @click=${() => session.setStable(true)}>${icon("restart")}Restore the identity</button>
            </div>
          </section>
          <section class="card">
            <h2>${mine.length > 1 ? `This tab is ${count(mine.length, "row")} now` : "Its row in the roster"}</h2>
            ${this.#table}
            <div class="cards" role="status">${this.#explanation()}</div>
          </section>
        </div>
      </div>`;
  }

  #facts() {
    const { target, isStable, instanceId } = this.session.live.value;
    const current = this.#current;
    const reported = current?.entry.lastInputSeconds;
    return facts([
      isStable
        ? ["instanceId", "instanceId", instanceId ?? "…", "Kept in this browser, so it is the same after a reload and a restart. A second tab adds a number."]
        : ["instanceId", "instanceId", "none", "None: the gateway cannot recognize this tab at its next connection."],
      ["host", "Host", current ? rowName(current) : "…"],
      ["mode", "Mode", current?.mode ?? "webchat"],
      ["device", "Device", (current && rowDevice(current)) || "…"],
      ["deviceId", "deviceId", current?.deviceId ?? "none", current?.deviceId === undefined ? "" : "The fingerprint of a key that never leaves this browser."],
      ["input", "Last input", this.#clock, typeof reported === "number" ? `The last beacon stated ${duration(reported * 1_000)}.` : "No beacon stated it yet."],
      ["page", "Page", document.hidden ? "hidden" : "visible"],
      target?.secret
        ? ["secret", "Secret", `a ${target.secret.kind}`, "Kept in this tab and those it opens (sessionStorage), so that a reload works. Disconnect deletes it."]
        : ["secret", "Secret", "none", "This gateway requires none."],
    ]);
  }

  #explanation() {
    const { isStable } = this.session.live.value;
    const hasBeaconRow = this.#mine.some((row) => !row.isOwn && !this.session.identities.find(row));
    const left = this.#left;
    return [left.length > 0 ? this.#leftWords(left, isStable) : [], hasBeaconRow ? beaconWords() : [], this.#findings.map((finding) => findingCard(finding))];
  }

  #leftWords(left: readonly PresenceRow[], isStable: boolean) {
    const ended = this.session.identities.find(left[0]!)?.untilMs;
    const when = ended === undefined ? "" : ` at ${timeOfDay(ended)}`;
    const old = left.length === 1 ? `The remaining row is that of the connection that ended${when}.` : `${count(left.length, "row")} remain from connections that ended, the last one${when}.`;
    const why = isStable
      ? "The tab has its identity back, and with it its old row."
      : "The new handshake had no instanceId, so the gateway added a new row for it.";
    return card({
      title: "One tab, more than one row.",
      badge: "Sure: it was this page",
      severity: "warning",
      confidence: "high",
      code: "OWN",
      evidence: [`${why} ${old} By default it goes ${duration(TTL_MS)} after it was last seen.`],
      fix: "Send a stable client.instanceId in the handshake. This package does so by default.",
    });
  }

  async #beacon(): Promise<void> {
    this.beaconSaid = "Sending…";
    try {
      await this.session.client?.beacon();
      this.beaconSaid = `The gateway accepted the beacon at ${timeOfDay(Date.now())}.`;
    } catch (error) {
      this.beaconSaid = error instanceof Error ? `Not accepted: ${error.message}.` : String(error);
    }
  }
}

/** Whether the row comes from beacons without an id, which this tab sends while it has none. */
function isBeaconRow(row: PresenceRow, current: PresenceRow | undefined): boolean {
  if (!current || current.instanceId !== undefined || row === current || row.roles.length > 0) return false;
  return row.instanceId === undefined && row.deviceId === undefined && row.host === current.host && row.version === current.version;
}

function beaconWords() {
  return card({
    title: "Its beacons have a row of their own.",
    badge: "Likely",
    severity: "warning",
    confidence: "medium",
    code: "OWN_BEACONS",
    evidence: ["A beacon without an id is listed under its text, beside the row of the connection that sent it."],
    fix: "Send the same instanceId in the handshake and in every beacon.",
  });
}
