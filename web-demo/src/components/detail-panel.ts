import { rawRows, type Finding, type PresenceRow } from "openclaw-presence";

import { h, node, replace, write } from "../lib/dom.js";
import { count, pretty, timeOfDay } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import type { Change } from "../state/history.js";
import { rowDevice, rowName } from "../state/row-words.js";
import { CopyButton } from "./copy-button.js";
import { findingCard } from "./findings.js";
import { statusMark } from "./status.js";

/** Everything there is to know about a row. */
export interface Detail {
  readonly row: PresenceRow;
  readonly findings: readonly Finding[];
  /** Newest first. */
  readonly changes: readonly Change[];
}

/** Below this width, as in detail.css, the panel lies over the page and holds the focus: the table needs the room. */
const narrow = matchMedia("(max-width: 82rem)");

/** The panel beside the table; over the page, from its side or from below, where that is too narrow. */
export class DetailPanel {
  readonly element = h("dialog", { class: "detail" });
  readonly #title = h("h2", { tabindex: "-1" });
  readonly #status = h("div");
  readonly #facts = h("dl", { class: "facts" });
  readonly #findings = h("div");
  readonly #changes = h("ol", { class: "changes" });
  readonly #entry = h("pre", { tabindex: "0", "aria-label": "Entry as JSON" });
  readonly #raw = h("div");
  #detail: Detail | undefined;

  /** @param onClose The user closed it. */
  constructor(onClose: () => void) {
    const close = h("button", { type: "button", class: "button icon-only", "aria-label": "Close details", on: { click: onClose } }, node(icon("close")));
    const copy = new CopyButton("Copy as JSON", () => pretty(this.#detail?.row.entry));
    replace(
      this.element,
      h("header", {}, h("div", {}, this.#title, this.#status), close),
      h(
        "div",
        { class: "detail-body" },
        this.#findings,
        this.#facts,
        section("Changes since this page was opened", this.#changes),
        section("Entry", this.#entry, copy),
        this.#raw,
      ),
    );
    this.element.setAttribute("aria-label", "Details of an instance");
    this.element.addEventListener("cancel", (event) => {
      event.preventDefault();
      onClose();
    });
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !narrow.matches) onClose();
    });
    narrow.addEventListener("change", () => {
      if (!this.element.open) return;
      this.element.close();
      this.#open();
    });
  }

  /** Shows a row, or nothing. */
  show(detail: Detail | undefined): void {
    const before = this.#detail;
    this.#detail = detail;
    if (!detail) {
      if (this.element.open) this.element.close();
      return;
    }
    if (!this.element.open) this.#open();
    if (before?.row === detail.row && before.findings === detail.findings && before.changes === detail.changes) return;
    this.#write(detail);
    if (before?.row.key !== detail.row.key) this.element.scrollTop = 0;
  }

  #open(): void {
    if (narrow.matches) return this.element.showModal();
    // Beside the table it takes no focus: whoever goes through the rows stays there.
    const focused = document.activeElement;
    this.element.show();
    if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  }

  #write({ row, findings, changes }: Detail): void {
    write(this.#title, rowName(row));
    replace(this.#status, node(statusMark(row.status, row.status === "Left" ? row.ageText : "")));
    replace(this.#facts, facts(row).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
    replace(this.#findings, findings.map((finding) => node(findingCard(finding))));
    replace(this.#changes, changes.length === 0 ? h("li", { class: "sub" }, "None yet.") : changes.map(changeItem));
    write(this.#entry, pretty(row.entry));
    const raw = rawRows(row);
    replace(this.#raw, raw.length > 1 && section(`${count(raw.length, "row")} of the gateway behind this one`, rawNote(), ...raw.map(rawItem)));
  }
}

function section(title: string, ...children: readonly Node[]): HTMLElement {
  return h("section", {}, h("h3", {}, title), ...children);
}

function facts(row: PresenceRow): readonly (readonly [string, string])[] {
  const seen = row.isSelf ? "now: it is the gateway itself" : `${row.ageText}${row.reasonLabel && ` (${row.reasonLabel})`}`;
  const all: readonly (readonly [string, string | undefined])[] = [
    ["Last seen", seen],
    ["Last input", row.isSelf ? undefined : row.lastInputText || "unknown"],
    ["ip", row.ip],
    ["Version", row.version],
    ["Device", rowDevice(row) || undefined],
    ["Mode", row.mode],
    ["Roles", row.roles.join(", ") || undefined],
    ["Scopes", row.scopes.join(", ") || undefined],
    ["instanceId", row.instanceId ?? (row.isSelf ? undefined : "none: a reconnect is a new row")],
    ["deviceId", row.deviceId],
    ["Text", row.text],
  ];
  return all.filter((fact): fact is readonly [string, string] => fact[1] !== undefined);
}

const KINDS = { listed: "Was there when this page was opened", joined: "Joined", removed: "Removed from the list", changed: "" } as const;

function changeItem({ atMs, kind, fields }: Change): HTMLElement {
  return h(
    "li",
    {},
    h("time", { class: "num" }, timeOfDay(atMs)),
    h(
      "div",
      {},
      KINDS[kind],
      fields.map(({ name, before, after }) =>
        h("p", {}, h("code", {}, name), " ", h("del", {}, before), " → ", h("ins", {}, after)),
      ),
    ),
  );
}

function rawNote(): HTMLElement {
  return h("p", { class: "sub" }, "This gateway lists one row per connection. They share an id, so they are shown as one instance.");
}

function rawItem(entry: object): HTMLElement {
  return h("pre", { tabindex: "0" }, pretty(entry));
}
