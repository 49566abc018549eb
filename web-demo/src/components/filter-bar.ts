import type { PresenceRow, Status } from "openclaw-presence";

import { h, replace, set, write } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { Store } from "../lib/store.js";
import { COLUMNS, columns, NO_FILTER, STATUSES, type Column, type Filter } from "../state/filter.js";
import { ORDERS, type Order } from "../state/roster-order.js";
import { menu } from "./menu.js";

/** Counts that are filters, a search, a mode, an order, and grouping. */
export class FilterBar {
  readonly element: HTMLElement;
  readonly filter = new Store<Filter>(NO_FILTER);
  readonly #chips = new Map<Status, { button: HTMLButtonElement; number: HTMLElement }>();
  readonly #text = h("input", { id: "filter-text", type: "search", placeholder: "Host, ip, version, id…", autocomplete: "off", spellcheck: "false" });
  readonly #mode = h("select", { id: "filter-mode" }, h("option", { value: "" }, "All"));
  readonly #order = h("select", { id: "filter-order" }, Object.entries(ORDERS).map(([value, label]) => h("option", { value }, label)));
  readonly #group = h("button", { type: "button", class: "button quiet", "aria-pressed": "false" }, icon("group"), "Group by host");
  readonly #reverse = h("button", { type: "button", class: "button quiet icon-only", "aria-pressed": "false", "aria-label": "Reverse order", title: "Reverse order" }, icon("reverse"));
  readonly #columns = new Map<Column, HTMLInputElement>();
  readonly #absolute = h("input", { type: "checkbox" });
  readonly #total = h("strong", { class: "num" }, "0");
  #modes = "";

  /** @param besideCounts stands at the end of the counts, `extra` at the end of the tools. */
  constructor(besideCounts: HTMLElement, ...extra: readonly HTMLElement[]) {
    const field = (name: string, label: string, control: HTMLElement) =>
      h("div", { class: "field" }, h("label", { for: `filter-${name}` }, label), control);
    this.element = h(
      "div",
      { class: "filters" },
      h(
        "div",
        { class: "counts" },
        h("span", { class: "total" }, this.#total, h("span", {}, " in all")),
        h("div", { class: "chips", role: "group", "aria-label": "Status" }, STATUSES.map((status) => this.#chip(status))),
        besideCounts,
      ),
      h(
        "div",
        { class: "tools" },
        h("div", { class: "field search" }, h("label", { for: "filter-text", class: "off-screen" }, "Search"), icon("search"), this.#text),
        field("mode", "Mode", this.#mode),
        h("div", { class: "sorting" }, field("order", "Sort by", this.#order), this.#reverse),
        this.#group,
        menu("columns", "Columns", ...columns().map((column) => this.#column(column)), check("Times instead of ages", this.#absolute)),
        ...extra,
      ),
    );
    this.#text.addEventListener("input", () => this.#change({ text: this.#text.value }));
    this.#mode.addEventListener("change", () => this.#change({ mode: this.#mode.value }));
    this.#order.addEventListener("change", () => this.#change({ order: this.#order.value as Order }));
    this.#reverse.addEventListener("click", () => this.#change({ isReversed: !this.filter.value.isReversed }));
    this.#absolute.addEventListener("change", () => this.#change({ isAbsolute: this.#absolute.checked }));
    this.#group.addEventListener("click", () => this.#change({ isGrouped: !this.filter.value.isGrouped }));
    this.filter.watch(({ text, statuses, mode, order, isReversed, isGrouped, hidden, isAbsolute }) => {
      for (const [status, { button }] of this.#chips) set(button, "aria-pressed", String(statuses.has(status)));
      if (this.#text.value !== text) this.#text.value = text;
      this.#offerMode(mode);
      this.#mode.value = mode;
      this.#order.value = order;
      set(this.#reverse, "aria-pressed", String(isReversed));
      set(this.#group, "aria-pressed", String(isGrouped));
      for (const [column, box] of this.#columns) box.checked = !hidden.has(column);
      this.#absolute.checked = isAbsolute;
    });
  }

  /** Counts all rows, shown or not. */
  count(rows: readonly PresenceRow[]): void {
    write(this.#total, String(rows.length));
    for (const [status, { number }] of this.#chips) {
      write(number, String(rows.filter((row) => row.status === status).length));
    }
    const modes = [...new Set(rows.map(({ mode }) => mode ?? ""))].filter(Boolean).sort();
    // What is chosen stays in the list, even when nobody has it any more.
    const { mode } = this.filter.value;
    if (mode !== "" && !modes.includes(mode)) modes.push(mode);
    if (modes.join("\n") === this.#modes) return;
    this.#modes = modes.join("\n");
    replace(this.#mode, h("option", { value: "" }, "All"), modes.map((each) => h("option", { value: each }, each)));
    this.#mode.value = mode;
  }

  /** Shows everything again. */
  clear(): void {
    this.#change({ text: "", statuses: new Set(), mode: "" });
  }

  /** Sorts by that; once more turns the order round. */
  setOrder(order: Order): void {
    const { order: before, isReversed } = this.filter.value;
    this.#change({ order, isReversed: order === before && !isReversed });
  }

  #column(column: Column): HTMLElement {
    const box = h("input", { type: "checkbox", checked: true });
    box.addEventListener("change", () => {
      const hidden = new Set(this.filter.value.hidden);
      if (box.checked) hidden.delete(column);
      else hidden.add(column);
      this.#change({ hidden });
    });
    this.#columns.set(column, box);
    return check(COLUMNS[column], box);
  }

  /** A mode of a link, before anybody has it. */
  #offerMode(mode: string): void {
    if ([...this.#mode.options].some(({ value }) => value === mode)) return;
    this.#mode.append(h("option", { value: mode }, mode));
    this.#modes = "";
  }

  #chip(status: Status): HTMLElement {
    const number = h("strong", { class: "num" }, "0");
    const button = h("button", { type: "button", class: "chip", data: { status }, "aria-pressed": "false" }, h("span", { class: "dot", "aria-hidden": "true" }), number, ` ${status}`);
    button.addEventListener("click", () => {
      const statuses = new Set(this.filter.value.statuses);
      if (!statuses.delete(status)) statuses.add(status);
      this.#change({ statuses });
    });
    this.#chips.set(status, { button, number });
    return button;
  }

  #change(change: Partial<Filter>): void {
    this.filter.set({ ...this.filter.value, ...change });
  }
}

function check(label: string, box: HTMLInputElement): HTMLElement {
  return h("label", { class: "check" }, box, label);
}
