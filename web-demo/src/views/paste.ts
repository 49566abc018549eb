import { ready, Roster, type PresenceRow } from "openclaw-presence";

import { copyButton } from "../components/copy-button.js";
import { DetailPanel } from "../components/detail-panel.js";
import { duplicateKeys, findingCard, findingsAbout } from "../components/findings.js";
import type { Order } from "../state/roster-order.js";
import { RosterTable } from "../components/roster-table.js";
import { h, replace, set, write } from "../lib/dom.js";
import { count, duration, pretty } from "../lib/format.js";
import { EXAMPLES } from "./paste-examples.js";
import { viewHead, type View } from "./view.js";

/** Largest text that is read, in UTF-16 units: far beyond any gateway's list. */
const MOST_TEXT = 4 * 1024 * 1024;
/** Rows that were long gone are shown all the same: somebody wants to know about them. */
const FOR_EVER_MS = Number.MAX_SAFE_INTEGER;
/** Most rows that are shown. */
const MOST_ROWS = 2_000;

/** A list from anywhere, read here and sent nowhere. */
export class PasteView implements View {
  readonly element: HTMLElement;
  readonly #text = h("textarea", { id: "paste-text", rows: "10", spellcheck: "false", autocomplete: "off", placeholder: '[ { "host": "studio", "reason": "connect", "ts": 1800000000000 }, … ]' });
  readonly #error = h("p", { class: "form-error", role: "alert", id: "paste-error" });
  readonly #result = h("section", { class: "stack", hidden: true });
  readonly #summary = h("p", { class: "lead", role: "status" });
  readonly #slider = h("input", { id: "paste-time", type: "range", min: "0", max: "600", step: "1", value: "0" });
  readonly #moment = h("output", { for: "paste-time", class: "num" });
  readonly #findings = h("div", { class: "cards" });
  readonly #table: RosterTable;
  readonly #detail: DetailPanel;
  #roster: Roster | undefined;
  /** When the newest row was written: until then the list was being made. */
  #newestMs = 0;
  #rows: readonly PresenceRow[] = [];
  #order: Order = "name";
  #selected: string | undefined;

  constructor() {
    this.#table = new RosterTable("Pasted instances", {
      open: (key) => this.#select(key),
      order: (order) => {
        this.#order = order;
        this.#draw();
      },
    });
    this.#detail = new DetailPanel(() => this.#select(undefined));
    const file = h("input", { id: "paste-file", type: "file", accept: ".json,.txt,application/json,text/plain", class: "off-screen" });
    file.addEventListener("change", () => {
      const [chosen] = file.files ?? [];
      if (chosen) void this.#readFile(chosen);
      file.value = "";
    });
    this.#text.addEventListener("input", () => void this.#read(this.#text.value));
    this.#slider.addEventListener("input", () => this.#draw());
    const drop = h(
      "section",
      { class: "card drop" },
      h("label", { for: "paste-text" }, "A presence list, or any frame that holds one"),
      this.#text,
      this.#error,
      h(
        "div",
        { class: "actions" },
        h("label", { for: "paste-file", class: "button" }, "Choose a file"),
        file,
        EXAMPLES.map(({ name, text }) => h("button", { type: "button", class: "button quiet", on: { click: () => this.#use(text()) } }, `Example: ${name}`)),
      ),
      h("p", { class: "sub" }, "From ", h("code", {}, "openclaw gateway call system-presence --json"), ". The text stays in this page."),
    );
    this.#takeDrops(drop);
    replace(
      this.#result,
      this.#summary,
      h("div", { class: "field time-field" }, h("label", { for: "paste-time" }, "Seen after the list was made"), this.#slider, this.#moment),
      this.#findings,
      h("div", { class: "with-detail" }, h("div", { class: "main-column" }, this.#table.element), this.#detail.element),
      h("div", { class: "actions" }, copyButton("Copy as one row per instance", () => pretty(this.#rows.map(({ entry }) => entry)))),
    );
    this.element = h(
      "div",
      { class: "view" },
      viewHead("Paste", "Read a list from any OpenClaw gateway: one row per instance, its status at a time you choose, and which rows look like one client."),
      drop,
      this.#result,
    );
  }

  /** Details that lie over the page would keep it from being used. */
  hide(): void {
    this.#selected = undefined;
    this.#draw();
    this.#detail.show(undefined);
  }

  #use(text: string): void {
    this.#text.value = text;
    void this.#read(text);
  }

  async #readFile(file: File): Promise<void> {
    if (file.size > MOST_TEXT) return this.#fail(`${file.name} is too large for a presence list.`);
    this.#use(await file.text());
  }

  async #read(text: string): Promise<void> {
    this.#roster?.free();
    this.#roster = undefined;
    this.#result.hidden = true;
    this.#select(undefined);
    if (text.trim() === "") return this.#fail("");
    if (text.length > MOST_TEXT) return this.#fail("This is too long for a presence list.");
    try {
      await ready();
      const roster = new Roster({ ttlMs: FOR_EVER_MS, maxRows: MOST_ROWS });
      // At first with no time passed; the time of the newest row is in it.
      roster.apply(text, 0);
      const moments = roster.entries().map(({ ts }) => (typeof ts === "number" ? ts : 0));
      this.#newestMs = Math.max(0, ...moments);
      roster.apply(text, this.#newestMs);
      this.#roster = roster;
      this.#fail("");
    } catch (error) {
      return this.#fail(explain(text, error));
    }
    this.#result.hidden = false;
    this.#slider.value = "0";
    this.#draw();
  }

  #draw(): void {
    const roster = this.#roster;
    if (!roster) return;
    const afterMs = Number(this.#slider.value) * 1_000;
    write(this.#moment, afterMs === 0 ? "at once" : duration(afterMs));
    set(this.#slider, "aria-valuetext", this.#moment.textContent ?? "");
    const rows = roster.list(this.#newestMs + afterMs);
    const findings = roster.findings();
    this.#rows = rows;
    const raw = roster.entries().length;
    const merged = rows.length === raw ? "" : `, from ${count(raw, "row")} of the gateway`;
    const left = rows.filter(({ status }) => status === "Left").length;
    const gone = left === 0 ? "" : `; ${left} left`;
    const suspicion = findings.length === 0 ? "nothing looks like a duplicate" : count(findings.length, "possible duplicate");
    write(this.#summary, `${count(rows.length, "instance")}${merged}${gone}; ${suspicion}.`);
    replace(this.#findings, findings.map((finding) => findingCard(finding)));
    const selected = rows.find(({ key }) => key === this.#selected);
    this.#table.show({ rows, order: this.#order, selected: selected?.key, duplicates: duplicateKeys(findings, rows) });
    this.#detail.show(selected && { row: selected, findings: findingsAbout(findings, selected), changes: [] });
  }

  #select(key: string | undefined): void {
    const before = this.#selected;
    this.#selected = key;
    if (key === undefined) this.#detail.show(undefined);
    this.#draw();
    if (key === undefined && before !== undefined) this.#table.focus(before);
  }

  #fail(error: string): void {
    write(this.#error, error);
    set(this.#text, "aria-invalid", error === "" ? undefined : "true");
    set(this.#text, "aria-describedby", error === "" ? undefined : "paste-error");
  }

  #takeDrops(area: HTMLElement): void {
    area.addEventListener("dragover", (event) => {
      event.preventDefault();
      area.classList.add("is-over");
    });
    area.addEventListener("dragleave", () => area.classList.remove("is-over"));
    area.addEventListener("drop", (event) => {
      event.preventDefault();
      area.classList.remove("is-over");
      const [file] = event.dataTransfer?.files ?? [];
      if (file) void this.#readFile(file);
      else this.#use(event.dataTransfer?.getData("text/plain") ?? "");
    });
  }
}

/** What is wrong with a text, for who pasted it. */
function explain(text: string, error: unknown): string {
  try {
    JSON.parse(text);
  } catch {
    return "This is no JSON. Copy everything, from the first bracket to the last.";
  }
  const message = error instanceof Error ? error.message : String(error);
  return `There is no presence list in it: ${message}.`;
}
