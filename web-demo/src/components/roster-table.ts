import type { PresenceRow } from "openclaw-presence";

import { h, set, write } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { glide } from "../lib/motion.js";
import type { Column } from "../state/filter.js";
import { groupRows, orderRows, type Order } from "../state/roster-order.js";
import { RosterRow } from "./roster-row.js";

/** What a table shows. */
export interface TableContent {
  readonly rows: readonly PresenceRow[];
  readonly order: Order;
  readonly isReversed?: boolean;
  readonly isGrouped?: boolean;
  readonly hidden?: ReadonlySet<Column>;
  /** Moments instead of ages. */
  readonly isAbsolute?: boolean;
  /** The key of the row that is open. */
  readonly selected?: string | undefined;
  /** Keys of rows that are part of a finding. */
  readonly duplicates?: ReadonlySet<string>;
  /** A word beside the name of a row. */
  readonly badge?: (row: PresenceRow) => string | undefined;
}

/** From more rows than this on, only those in sight are drawn. */
const MANY = 50;

/** What a table tells. */
export interface TableListener {
  /** The user opened a row, or closed it. */
  open(key: string | undefined): void;
  /** The user wants another order; without it the heads are plain. */
  order?(order: Order): void;
}

const HEADS: readonly (readonly [label: string, className: string, order: Order | undefined])[] = [
  ["Instance", "who", "name"],
  ["Status", "status-cell", "status"],
  ["Version", "version", undefined],
  ["Device", "device", undefined],
  ["Mode", "mode", "mode"],
  ["Last input", "input num", "input"],
  ["Last seen", "seen num", "seen"],
];

/** The table of instances. Rows keep their elements, so that nothing jumps when a word changes. */
export class RosterTable {
  readonly element: HTMLElement;
  readonly #table: HTMLTableElement;
  readonly #body = h("tbody", { role: "rowgroup" });
  readonly #heads = new Map<Order, HTMLTableCellElement>();
  readonly #rows = new Map<string, RosterRow>();
  readonly #groups = new Map<string, HTMLTableRowElement>();
  readonly #listener: TableListener;
  /** The row that the Tab key reaches; the arrows move from it. */
  #current: string | undefined;

  constructor(label: string, listener: TableListener) {
    this.#listener = listener;
    const head = h("thead", { role: "rowgroup" }, h("tr", { class: "heads", role: "row" }, HEADS.map((each) => this.#head(each))));
    this.#table = h("table", { class: "roster", role: "table", "aria-label": label }, head, this.#body);
    this.element = h("div", { class: "roster-box" }, this.#table);
    this.#body.addEventListener("click", (event) => this.#click(event));
    this.#body.addEventListener("keydown", (event) => this.#key(event));
    this.#body.addEventListener("focusin", (event) => this.#focus(event));
  }

  show({ rows, order, isReversed = false, isGrouped = false, hidden, isAbsolute = false, selected, duplicates, badge }: TableContent): void {
    const direction = isReversed ? "descending" : "ascending";
    for (const [known, head] of this.#heads) set(head, "aria-sort", known === order ? direction : undefined);
    set(this.#table, "data-hide", hidden && hidden.size > 0 ? [...hidden].join(" ") : undefined);
    set(this.#table, "data-absolute", isAbsolute ? "" : undefined);
    const ordered = orderRows(rows, order, isReversed);
    set(this.element, "data-many", ordered.length > MANY ? "" : undefined);
    for (const row of ordered) {
      let drawn = this.#rows.get(row.key);
      if (!drawn) this.#rows.set(row.key, (drawn = new RosterRow(row.key)));
      drawn.show(row, {
        isSelected: row.key === selected,
        isDuplicate: duplicates?.has(row.key) ?? false,
        isAbsolute,
        badge: badge?.(row) ?? (row.isSelf ? "gateway" : row.isOwn ? "this tab" : undefined),
      });
    }
    const wanted = isGrouped ? this.#grouped(ordered) : ordered.map(({ key }) => this.#rows.get(key)!.element);
    this.#place(wanted);
    const kept = new Set(ordered.map(({ key }) => key));
    for (const key of this.#rows.keys()) if (!kept.has(key)) this.#rows.delete(key);
    if (this.#current === undefined || !this.#rows.has(this.#current)) this.#current = ordered[0]?.key;
    for (const [key, { button }] of this.#rows) set(button, "tabindex", key === this.#current ? "0" : "-1");
  }

  /** Puts the focus on a row. */
  focus(key: string): void {
    this.#rows.get(key)?.button.focus();
  }

  /** Scrolls to a row. */
  reveal(key: string): void {
    this.#rows.get(key)?.element.scrollIntoView({ block: "nearest" });
  }

  /** Puts the rows there in this order, touching only those that stand wrong. */
  #place(wanted: readonly HTMLTableRowElement[]): void {
    const present = this.#body.children;
    if (present.length === wanted.length && wanted.every((row, index) => row === present[index])) return;
    glide(this.#body, () => {
      const kept = new Set<Element>(wanted);
      for (const child of [...present]) if (!kept.has(child)) child.remove();
      let next = this.#body.firstElementChild;
      for (const row of wanted) {
        if (row === next) next = next.nextElementSibling;
        else this.#body.insertBefore(row, next);
      }
    });
  }

  #grouped(rows: readonly PresenceRow[]): readonly HTMLTableRowElement[] {
    const unused = new Set(this.#groups.keys());
    const wanted = groupRows(rows).flatMap(({ host, rows }) => {
      unused.delete(host);
      const active = rows.filter(({ status }) => status === "Active").length;
      return [
        this.#groupHead(host, `${count(rows.length, "instance")}, ${active} active`),
        ...rows.map(({ key }) => this.#rows.get(key)!.element),
      ];
    });
    for (const host of unused) this.#groups.delete(host);
    return wanted;
  }

  #groupHead(host: string, summary: string): HTMLTableRowElement {
    let head = this.#groups.get(host);
    if (!head) {
      const cell = h("th", { role: "rowheader", scope: "rowgroup", colspan: HEADS.length }, h("strong", {}, host), h("span", { class: "sub" }));
      head = h("tr", { class: "group", role: "row" }, cell);
      this.#groups.set(host, head);
    }
    write(head.querySelector(".sub")!, summary);
    return head;
  }

  #head([label, className, order]: (typeof HEADS)[number]): HTMLTableCellElement {
    const order_ = this.#listener.order?.bind(this.#listener);
    const head = h("th", { class: className, role: "columnheader", scope: "col" });
    if (order && order_) {
      head.dataset["label"] = label;
      head.append(h("button", { type: "button", class: "sort", on: { click: () => order_(order) } }, label));
      this.#heads.set(order, head);
    } else head.append(label);
    return head;
  }

  #click(event: Event): void {
    const element = (event.target as Element).closest<HTMLElement>("tr.row");
    const key = element?.dataset["key"];
    // Who marks a text to copy it does not mean to open anything.
    if (key === undefined || String(getSelection()).length > 0) return;
    this.#listener.open(element?.dataset["selected"] === undefined ? key : undefined);
  }

  #focus(event: Event): void {
    const key = (event.target as Element).closest<HTMLElement>("tr.row")?.dataset["key"];
    if (key === undefined || key === this.#current) return;
    const before = this.#current === undefined ? undefined : this.#rows.get(this.#current);
    if (before) set(before.button, "tabindex", "-1");
    this.#current = key;
    set(this.#rows.get(key)!.button, "tabindex", "0");
  }

  #key(event: KeyboardEvent): void {
    if (event.key === "Escape") return this.#listener.open(undefined);
    const rows = [...this.#body.querySelectorAll<HTMLElement>("tr.row .row-open")];
    const at = rows.indexOf(event.target as HTMLElement);
    const steps: Readonly<Record<string, number>> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 };
    const next = rows[steps[event.key] ?? -1];
    if (at < 0 || !next) return;
    event.preventDefault();
    next.focus();
  }
}
