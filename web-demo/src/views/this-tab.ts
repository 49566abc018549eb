import type { PresenceRow } from "openclaw-presence";

import { ConnectionBar } from "../components/connection-bar.js";
import { Facts } from "../components/facts.js";
import { duplicateKeys, findingCard, findingTitle, rowsOf } from "../components/findings.js";
import { RosterTable } from "../components/roster-table.js";
import { Switch } from "../components/switch.js";
import { h, replace, write } from "../lib/dom.js";
import { count, duration, timeOfDay } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { LastInput } from "../state/last-input.js";
import { hrefOf } from "../state/route.js";
import { rowDevice, rowName } from "../state/row-words.js";
import type { Live, Session } from "../state/session.js";
import type { TourLog } from "../state/tour.js";
import { viewHead, type View } from "./view.js";

/** How long a row lives by default after it was last heard of. */
const TTL_MS = 300_000;

/** What this page tells about itself, and the experiment of losing its identity. */
export class ThisTabView implements View {
  readonly element: HTMLElement;
  readonly #session: Session;
  readonly #tour: TourLog;
  readonly #input = new LastInput();
  readonly #facts = new Facts({
    instanceId: "instanceId",
    host: "Host",
    mode: "Mode",
    device: "Device",
    deviceId: "deviceId",
    input: "Last input",
    page: "Page",
    secret: "Secret",
  });
  readonly #beacons: Switch;
  readonly #beaconNow = h("button", { type: "button", class: "button" }, icon("signal"), "Send one now");
  readonly #beaconNote = h("p", { class: "sub" });
  readonly #beaconSaid = h("p", { class: "sub", role: "status" });
  readonly #table: RosterTable;
  readonly #rowsTitle = h("h2");
  readonly #explanation = h("div", { class: "cards", role: "status" });
  readonly #loseText = h("span");
  readonly #lose = h("button", { type: "button", class: "button primary" }, icon("twins"), this.#loseText);
  readonly #regain = h("button", { type: "button", class: "button" }, icon("restart"), "Give the identity back");
  readonly #content: HTMLElement;
  readonly #absent: HTMLElement;
  #ticker: ReturnType<typeof setInterval> | undefined;
  #explained = "";

  constructor(session: Session, tour: TourLog) {
    this.#session = session;
    this.#tour = tour;
    this.#beacons = new Switch("Send beacons", (isOn) => session.setBeacons(isOn));
    this.#table = new RosterTable("Rows of this tab", { open: () => (location.hash = hrefOf("instances")) });
    this.#beaconNow.addEventListener("click", () => void this.#beacon());
    this.#lose.addEventListener("click", () => session.setStable(false));
    this.#regain.addEventListener("click", () => session.setStable(true));
    this.#absent = h(
      "section",
      { class: "empty" },
      h("p", {}, "This tab is in no roster: it is not connected to a gateway."),
      h("a", { class: "button primary", href: hrefOf("instances") }, "Connect"),
    );
    this.#content = h(
      "div",
      { class: "columns tab-columns" },
      h(
        "div",
        { class: "stack" },
        h("section", { class: "card" }, h("h2", {}, "What it reports"), this.#facts.element),
        h(
          "section",
          { class: "card" },
          h("h2", {}, "Beacons"),
          h("p", {}, "Once a minute, and when you come back after a while, the tab tells that it is alive and how long ago you last did something. Nothing you type."),
          h("div", { class: "actions" }, this.#beacons.element, this.#beaconNow),
          this.#beaconNote,
          this.#beaconSaid,
        ),
      ),
      h(
        "div",
        { class: "stack" },
        // First what one presses, then what comes of it: the button stays under the hand.
        h(
          "section",
          { class: "card" },
          h("h2", {}, "Make a duplicate"),
          h("p", {}, "The same tab connects again, but without its instanceId, its device key and beacons. The gateway cannot know it, so a second row appears beside the old one: the duplicate that people meet most."),
          h("div", { class: "actions" }, this.#lose, this.#regain),
        ),
        h("section", { class: "card" }, this.#rowsTitle, this.#table.element, this.#explanation),
      ),
    );
    this.element = h(
      "div",
      { class: "view" },
      viewHead("This tab", "What this page tells the gateway about itself, and what it looks like without a stable identity.", new ConnectionBar(session).element),
      this.#absent,
      this.#content,
    );
    session.live.watch((live) => this.#show(live));
  }

  show(): void {
    this.#tick();
    this.#ticker = setInterval(() => this.#tick(), 1_000);
  }

  hide(): void {
    clearInterval(this.#ticker);
  }

  #show(live: Live): void {
    const { target, roster, isStable, hasBeacons, instanceId } = live;
    const rows = roster?.rows ?? [];
    const { identities } = this.#session;
    const current = rows.find((row) => identities.isCurrent(row));
    const mine = rows.filter((row) => row.isOwn || identities.find(row) !== undefined || isBeaconRow(row, current));
    this.#absent.hidden = target !== undefined;
    this.#content.hidden = target === undefined;

    const kept = "Kept in this browser, so it is the same after a reload and a restart. A second tab adds a number.";
    const lost = "None: at the next connection nobody knows this tab again.";
    this.#facts.set("instanceId", isStable ? (instanceId ?? "…") : "none", isStable ? kept : lost);
    this.#facts.set("host", current ? rowName(current) : "…");
    this.#facts.set("mode", current?.mode ?? "webchat");
    this.#facts.set("device", (current && rowDevice(current)) || "…");
    this.#facts.set("deviceId", current?.deviceId ?? "none", current?.deviceId === undefined ? "" : "The fingerprint of a key that never leaves this browser.");
    const forgotten = "Kept in this tab and those it opens (sessionStorage), so that a reload works. Disconnect forgets it.";
    this.#facts.set("secret", target?.secret ? `a ${target.secret.kind}` : "none", target?.secret ? forgotten : "This gateway asks for none.");
    this.#beacons.show(hasBeacons);
    write(this.#beaconNote, isStable ? "" : "Without an identity its beacons have no id either, and the gateway files them under their text: they are off.");
    this.#beaconNow.disabled = roster?.connection.phase !== "live";
    this.#regain.disabled = isStable;
    write(this.#loseText, isStable ? "Reconnect without a stable identity" : "Reconnect once more");

    write(this.#rowsTitle, mine.length > 1 ? `This tab is ${count(mine.length, "row")} now` : "Its row in the roster");
    this.#table.show({
      rows: mine,
      order: "seen",
      duplicates: duplicateKeys(live.findings, rows),
      badge: (row) => (row === current ? "this tab, now" : isBeaconRow(row, current) ? "its beacons" : "left over"),
    });
    this.#explain(live, mine);
    this.#tick();
  }

  #explain({ findings, isStable, roster }: Live, mine: readonly PresenceRow[]): void {
    const left = mine.filter((row) => this.#session.identities.find(row) && !this.#session.identities.isCurrent(row));
    const hasBeaconRow = mine.some((row) => !row.isOwn && !this.#session.identities.find(row));
    const about = findings.filter((finding) => rowsOf(finding, mine).length > 0);
    const state = JSON.stringify([left.map(({ key }) => key), isStable, hasBeaconRow, about]);
    if (state === this.#explained) return;
    this.#explained = state;
    if (left.length > 0 && roster?.connection.phase === "live") this.#tour.reach("duplicate");
    replace(this.#explanation, left.length > 0 && this.#ownWords(left, isStable), hasBeaconRow && beaconWords(), about.map((finding) => findingCard(finding)));
  }

  #ownWords(left: readonly PresenceRow[], isStable: boolean): HTMLElement {
    const ended = this.#session.identities.find(left[0]!)?.untilMs;
    const when = ended === undefined ? "" : ` at ${timeOfDay(ended)}`;
    const old = left.length === 1 ? `The row left over is the connection that ended${when}.` : `${count(left.length, "row")} are left over from connections that ended, the last one${when}.`;
    const why = isStable
      ? "The tab has its identity back, and with it its old row."
      : "The new handshake had no instanceId, so the gateway filed it as somebody new.";
    return h(
      "article",
      { class: "finding", data: { confidence: "high", code: "OWN" } },
      findingTitle("One tab, more than one row.", "Sure: it was this page"),
      h("p", { class: "evidence" }, `${why} ${old} By default it goes ${duration(TTL_MS)} after it was last heard of.`),
      h("p", { class: "fix" }, h("strong", {}, "Fix: "), "Send a stable client.instanceId in the handshake. This package does so by itself; nothing is to be set."),
    );
  }

  #tick(): void {
    const { roster } = this.#session.live.value;
    const current = roster?.rows.find((row) => row.isOwn);
    const told = current?.entry.lastInputSeconds;
    const known = typeof told === "number" && current ? `The gateway was told ${duration(told * 1_000)}, with the last beacon.` : "The gateway was not told yet.";
    const seconds = this.#input.seconds;
    this.#facts.set("input", seconds === 0 ? "just now" : `${duration(seconds * 1_000)} ago`, known);
    this.#facts.set("page", document.hidden ? "hidden" : "visible");
  }

  async #beacon(): Promise<void> {
    write(this.#beaconSaid, "Sending…");
    try {
      await this.#session.client?.beacon();
      write(this.#beaconSaid, `The gateway took the beacon at ${timeOfDay(Date.now())}.`);
    } catch (error) {
      write(this.#beaconSaid, error instanceof Error ? `Not taken: ${error.message}.` : String(error));
    }
  }
}

/** Whether the row comes of beacons without an id, such as this tab sends them while it has none. */
function isBeaconRow(row: PresenceRow, current: PresenceRow | undefined): boolean {
  if (!current || current.instanceId !== undefined || row === current || row.roles.length > 0) return false;
  return row.instanceId === undefined && row.deviceId === undefined && row.host === current.host && row.version === current.version;
}

function beaconWords(): HTMLElement {
  return h(
    "article",
    { class: "finding", data: { confidence: "medium", code: "OWN_BEACONS" } },
    findingTitle("Its beacons are a row too.", "Likely"),
    h("p", { class: "evidence" }, "A beacon without an id is filed under its text, beside the row of the connection that sent it."),
    h("p", { class: "fix" }, h("strong", {}, "Fix: "), "Send the same instanceId in the handshake and in every beacon."),
  );
}
