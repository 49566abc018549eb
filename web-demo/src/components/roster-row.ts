import type { PresenceRow } from "openclaw-presence";

import { h, node, replace, set, write } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { moment, shortId, shortMoment } from "../lib/format.js";
import { inputMoment } from "../state/roster-order.js";
import { rowModel, rowName } from "../state/row-words.js";
import { statusMark } from "./status.js";

/** What a table says about a row beside what the row says itself. */
export interface RowMarks {
  readonly isSelected: boolean;
  /** Part of a finding. */
  readonly isDuplicate: boolean;
  /** A word beside its name, such as `this tab`. */
  readonly badge: string | undefined;
  /** Moments instead of ages. */
  readonly isAbsolute: boolean;
}

/** One drawn row: made once, then only what differs is written. */
export class RosterRow {
  readonly element: HTMLTableRowElement;
  /** Opens the row; the one thing in it that takes the focus. */
  readonly button = h("button", { type: "button", class: "row-open", tabindex: "-1" });
  readonly #badge = h("span", { class: "badge", hidden: true });
  readonly #twin = h("span", { class: "badge twin", hidden: true }, node(icon("twins")), h("span", {}, "duplicate?"));
  readonly #where = h("span", { class: "sub" });
  readonly #status = h("td", { class: "status-cell", role: "cell" });
  readonly #version = h("td", { class: "version", role: "cell" });
  readonly #model = h("span", { class: "model" });
  readonly #platform = h("span", { class: "sub" });
  readonly #mode = h("span", { class: "mode-word" });
  readonly #roles = h("span", { class: "sub" });
  readonly #input = h("td", { class: "input num", role: "cell" });
  readonly #age = h("span");
  readonly #reason = h("span", { class: "sub" });
  #row: PresenceRow | undefined;
  #marks: RowMarks | undefined;

  constructor(readonly key: string) {
    this.element = h(
      "tr",
      { class: "row", role: "row", data: { key } },
      h(
        "th",
        { class: "who", role: "rowheader", scope: "row" },
        h("span", { class: "who-line" }, this.button, this.#badge, this.#twin),
        this.#where,
      ),
      this.#status,
      this.#version,
      h("td", { class: "device", role: "cell" }, this.#model, this.#platform),
      h("td", { class: "mode", role: "cell" }, this.#mode, this.#roles),
      this.#input,
      h("td", { class: "seen num", role: "cell" }, this.#age, this.#reason),
    );
  }

  /** The row as it was shown last. */
  get row(): PresenceRow | undefined {
    return this.#row;
  }

  /** Writes what is different now, and lights up what changed of a row that stays. */
  show(row: PresenceRow, marks: RowMarks): void {
    const before = this.#row;
    if (before !== row || this.#marks?.isAbsolute !== marks.isAbsolute) {
      this.#row = row;
      this.#write(row, marks.isAbsolute);
      if (before && before !== row && isNews(before, row)) this.#lightUp();
    }
    if (!isSameMarks(this.#marks, marks)) {
      this.#marks = marks;
      this.#mark(marks);
    }
  }

  #write(row: PresenceRow, isAbsolute: boolean): void {
    set(this.element, "data-status", row.status);
    set(this.element, "data-self", row.isSelf ? "" : undefined);
    write(this.button, rowName(row));
    write(this.#where, [row.ip, row.instanceId && shortId(row.instanceId)].filter(Boolean).join(" · ") || "no ip, no instanceId");
    if (this.#status.textContent !== row.status) replace(this.#status, node(statusMark(row.status)));
    write(this.#version, row.version ?? "–");
    const model = rowModel(row);
    write(this.#model, model || row.platformLabel || "–");
    write(this.#platform, model && row.platformLabel);
    write(this.#mode, row.mode ?? "unknown");
    write(this.#roles, row.roles.join(", "));
    // The gateway has no hands: what it would say about its own input is nothing.
    const input = row.isSelf ? undefined : inputMoment(row);
    write(this.#input, row.isSelf ? "–" : (isAbsolute && input !== undefined ? shortMoment(input) : row.lastInputText) || "unknown");
    set(this.#input, "title", input === undefined ? undefined : moment(input));
    write(this.#age, isAbsolute ? shortMoment(row.ts) : row.ageText);
    set(this.#age, "title", moment(row.ts));
    write(this.#reason, row.isSelf ? "Self" : row.reasonLabel);
  }

  #mark({ isSelected, isDuplicate, badge }: RowMarks): void {
    set(this.element, "data-selected", isSelected ? "" : undefined);
    set(this.button, "aria-expanded", String(isSelected));
    this.#badge.hidden = badge === undefined;
    write(this.#badge, badge ?? "");
    this.#badge.classList.toggle("own", badge?.startsWith("this tab") ?? false);
    this.#twin.hidden = !isDuplicate;
  }

  #lightUp(): void {
    // Taken away and put back between two drawings, or a second change would not show.
    this.element.classList.remove("lit");
    requestAnimationFrame(() => this.element.classList.add("lit"));
  }
}

/** Whether something happened, as opposed to time having passed. */
function isNews(before: PresenceRow, after: PresenceRow): boolean {
  return before.reason !== after.reason || before.status !== after.status || before.version !== after.version || before.ip !== after.ip;
}

function isSameMarks(a: RowMarks | undefined, b: RowMarks): boolean {
  return a?.isSelected === b.isSelected && a.isDuplicate === b.isDuplicate && a.badge === b.badge && a.isAbsolute === b.isAbsolute;
}
