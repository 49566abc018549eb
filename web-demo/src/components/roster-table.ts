import type { PresenceRow } from "openclaw-presence";
import { defaultRangeExtractor, measureElement, WindowVirtualizerController, type Range } from "@tanstack/lit-virtual";
import { html, nothing, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";

import { count } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { glide } from "../lib/motion.js";
import { Part } from "../lib/part.js";
import type { Column } from "../state/view-options.js";
import { isGateway } from "../state/gateways.js";
import { groupRows, ORDERS, sortRows, type Order } from "../state/roster-order.js";
import { lineOf, rosterRow, type Line } from "./roster-row.js";
import { select } from "./select.js";

/** The contents of a table. */
export interface TableContent {
  readonly rows: readonly PresenceRow[];
  readonly order: Order;
  readonly isReversed?: boolean;
  readonly isGrouped?: boolean;
  readonly hidden?: ReadonlySet<Column>;
  /** Whether to show moments in place of ages. */
  readonly isAbsolute?: boolean;
  /** The key of the open row. */
  readonly selected?: string | undefined;
  /** Keys of rows in findings that healthy lists do not have. */
  readonly suspects?: ReadonlySet<string>;
  /**
   * Name of the gateway that sent the list, if the list also has rows of other gateways; the table then has a column
   * for it.
   */
  readonly ownGateway?: string | undefined;
  /** A label beside the name of a row. */
  readonly badge?: (row: PresenceRow) => string | undefined;
}

/** The listener of a table. */
export interface TableListener {
  /** Called when the user opens or closes a row. */
  open(key: string | undefined): void;
  /** Called when the user changes the order; if absent, the column heads are not buttons. */
  order?(order: Order): void;
  /** Whether the page has no other control for the order; then narrow tables, whose heads are hidden, have one. */
  readonly hasOnlyHeads?: boolean;
}

/** Number of tables so far; makes ids unique on the page. */
let tables = 0;

/** Above this number of lines the browser skips invisible ones; above the second number they are not rendered. */
const MANY = 50;
const MAX_DRAWN = 200;
/** Maximum number of lines on paper. */
const MAX_PRINTED = 2_000;
/** Estimated heights until measurement, in px: of a row as a card, of a row, of the head of a group. */
const CARD_PX = 110;
const ROW_PX = 60;
const GROUP_PX = 36;
/** Width below which rows are cards, in px; also in roster.css. */
const NARROW_PX = 832;
/** Number of lines rendered above and below the visible ones. */
const OVERSCAN = 12;

const HEADS: readonly (readonly [label: string, className: string, order: Order | undefined])[] = [
  ["Instance", "who", "name"],
  ["Status", "status-cell", "status"],
  ["Version", "version", undefined],
  ["Device", "device", undefined],
  ["Mode", "mode", "mode"],
  ["Gateway", "gateway", undefined],
  ["Last input", "input num", "input"],
  ["Last seen", "seen num", "seen"],
];

/** A row or the head of a group. */
type Item = { readonly key: string; readonly row: PresenceRow } | { readonly key: string; readonly row?: undefined; readonly host: string; readonly summary: string };

/** The table of instances. Rows keep their elements, so that changed words shift nothing. */
@customElement("roster-table")
export class RosterTable extends Part {
  @property({ attribute: false }) accessor content: TableContent = { rows: [], order: "name" };
  /** The row that the Tab key reaches and that arrow keys move from. It is always rendered. */
  @state() private accessor current: string | undefined;
  /** Position of the first line on the page, in px. */
  @state() private accessor topPx = 0;
  /** Whether the page is being printed, which takes all lines and not only the visible ones. */
  @state() private accessor isPrinting = false;
  readonly #orderId = `order-${(tables += 1)}`;
  #items: readonly Item[] = [];
  /** Whether this update adds, removes or moves lines. */
  #isMove = false;
  readonly #virtual = new WindowVirtualizerController<HTMLElement>(this, {
    count: 0,
    enabled: false,
    overscan: OVERSCAN,
    estimateSize: (index) => this.#estimate(index),
    getItemKey: (index) => this.#items[index]?.key ?? index,
    // Hidden elements have no size.
    measureElement: (element, entry, virtualizer) => measureElement(element, entry, virtualizer) || ROW_PX,
  });

  constructor(
    readonly label: string,
    readonly listener: TableListener,
  ) {
    super();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener("beforeprint", this.#print);
    addEventListener("afterprint", this.#print);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("beforeprint", this.#print);
    removeEventListener("afterprint", this.#print);
  }

  /** Focuses a row; the one in its place if it is gone. */
  async focusRow(key: string | undefined): Promise<void> {
    (await this.#draw(key))?.focus();
  }

  /** Scrolls to a row. */
  async reveal(key: string): Promise<void> {
    (await this.#draw(key))?.closest("tr")?.scrollIntoView({ block: "nearest" });
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    this.#isMove = false;
    if (!changed.has("content")) return;
    const before = this.#items;
    const at = this.#rows.findIndex(({ key }) => key === this.current);
    const { rows, order, isReversed, isGrouped } = this.content;
    const ordered = sortRows(rows, order, isReversed);
    this.#items = isGrouped ? grouped(ordered) : ordered.map((row) => ({ key: row.key, row }));
    this.#isMove = before.length !== this.#items.length || before.some(({ key }, index) => key !== this.#items[index]?.key);
    // The row in the place of a removed one.
    if (!ordered.some(({ key }) => key === this.current)) this.current = this.#rows[Math.min(Math.max(at, 0), ordered.length - 1)]?.key;
  }

  protected override update(changed: PropertyValues<this>): void {
    const body = this.querySelector("tbody");
    if (body && this.#isMove && !this.#isVirtual) glide(body, () => super.update(changed));
    else super.update(changed);
  }

  protected override passFocus(): void {
    const current = this.#currentButton;
    if (current) current.focus({ preventScroll: true });
    else super.passFocus();
  }

  protected override render() {
    const { order, isReversed, hidden, isAbsolute = false, ownGateway } = this.content;
    const heads = HEADS.filter(([, name]) => name !== "gateway" || ownGateway !== undefined);
    const items = this.#items;
    const isVirtual = this.#isVirtual;
    const virtual = this.#virtual.getVirtualizer();
    virtual.setOptions({
      ...virtual.options,
      count: isVirtual ? items.length : 0,
      enabled: isVirtual,
      scrollMargin: this.topPx,
      // A new function each time: for an identical one the virtualizer returns its cached lines.
      rangeExtractor: (range) => this.#drawn(range),
    });
    const lines = isVirtual ? virtual.getVirtualItems().map(({ index, start }) => ({ index, startPx: start - this.topPx })) : undefined;
    const drawn = lines ? lines.flatMap((line) => items[line.index] ?? []) : items.slice(0, MAX_PRINTED);
    const sort = (each: Order | undefined) => (each !== order || !this.listener.order ? nothing : isReversed ? "descending" : "ascending");
    return html`
      <div class="roster-box" ?data-many=${!isVirtual && !this.isPrinting && items.length > MANY} ?data-virtual=${isVirtual}>
        ${this.listener.hasOnlyHeads ? this.#orderField() : nothing}
        <table class="roster" role="table" aria-label=${this.label} aria-rowcount=${isVirtual ? items.length + 1 : nothing}
          data-hide=${hidden && hidden.size > 0 ? [...hidden].join(" ") : nothing} ?data-absolute=${isAbsolute} ?data-gateways=${ownGateway !== undefined}>
          <thead role="rowgroup">
            <tr class="heads" role="row" aria-rowindex=${isVirtual ? 1 : nothing}>
              ${heads.map((head) => html`<th class=${head[1]} role="columnheader" scope="col" aria-sort=${sort(head[2])} data-label=${this.#isSortable(head[2]) ? head[0] : nothing}>${this.#head(head)}</th>`)}
            </tr>
          </thead>
          <tbody role="rowgroup" .style=${isVirtual ? `--size: ${virtual.getTotalSize()}px` : nothing} @click=${this.#click} @keydown=${this.#key} @focusin=${this.#focus}>
            ${repeat(drawn, ({ key }) => key, (item, index) => this.#line(item, lines?.[index]))}
          </tbody>
        </table>
        ${!isVirtual && items.length > MAX_PRINTED ? html`<p class="rest sub">And ${count(items.length - MAX_PRINTED, "more line")}</p>` : nothing}
      </div>`;
  }

  protected override updated(): void {
    if (!this.#isVirtual) return;
    const body = this.querySelector("tbody")!;
    const virtual = this.#virtual.getVirtualizer();
    virtual.measureElement(null);
    for (const line of body.children) virtual.measureElement(line as HTMLElement);
    this.topPx = Math.round(body.getBoundingClientRect().top + scrollY);
  }

  get #isVirtual(): boolean {
    return !this.isPrinting && this.#items.length > MAX_DRAWN;
  }

  /** Updates at once: the browser prints the page as it is after the event. */
  readonly #print = ({ type }: Event): void => {
    this.isPrinting = type === "beforeprint";
    this.performUpdate();
  };

  get #rows(): readonly PresenceRow[] {
    return this.#items.flatMap(({ row }) => row ?? []);
  }

  /** The only button of a row that the Tab key reaches. */
  get #currentButton(): HTMLElement | null {
    return this.querySelector('.row-open[tabindex="0"]');
  }

  #line(item: Item, line: Line | undefined) {
    const { selected, suspects, isAbsolute = false, badge, ownGateway } = this.content;
    const { row } = item;
    if (!row) return groupHead(item.host, item.summary, line);
    const marks = {
      isSelected: row.key === selected,
      isCurrent: row.key === this.current,
      isSuspect: suspects?.has(row.key) ?? false,
      isAbsolute,
      ownGateway,
      badge: badge?.(row) ?? (isGateway(row) ? "gateway" : row.isOwn ? "this tab" : undefined),
    };
    return rosterRow(row, marks, line);
  }

  #isSortable(order: Order | undefined): order is Order {
    return order !== undefined && this.listener.order !== undefined;
  }

  #head([label, , order]: (typeof HEADS)[number]) {
    if (!this.#isSortable(order)) return label;
    return html`<button type="button" class="sort" @click=${() => this.listener.order?.(order)}>${label}</button>`;
  }

  #orderField() {
    const { order, isReversed = false } = this.content;
    const choose = (each: string) => this.listener.order?.(each as Order);
    return html`
      <div class="card-order sorting">
        <div class="field"><label for=${this.#orderId}>Sort by</label>${select(this.#orderId, order, Object.entries(ORDERS), choose)}</div>
        <button type="button" class="button quiet icon-only" aria-pressed=${isReversed} aria-label="Reverse order" title="Reverse order" @click=${() => choose(order)}>${icon("reverse")}</button>
      </div>`;
  }

  #estimate(index: number): number {
    const isNarrow = (this.firstElementChild?.clientWidth ?? 0) < NARROW_PX;
    return this.#items[index]?.row ? (isNarrow ? CARD_PX : ROW_PX) : GROUP_PX;
  }

  /** Returns the visible lines, and the one that may have the focus. */
  #drawn(range: Range): number[] {
    const current = this.#items.findIndex(({ key, row }) => row && key === this.current);
    const inSight = defaultRangeExtractor(range);
    return current < 0 || inSight.includes(current) ? inSight : [...inSight, current].sort((a, b) => a - b);
  }

  /** Returns the button of a row, rendering the row if necessary; of the current row if it is gone. */
  async #draw(key: string | undefined): Promise<HTMLElement | null> {
    if (this.#rows.some((row) => row.key === key)) this.current = key;
    await this.updateComplete;
    return this.#currentButton;
  }

  #click(event: MouseEvent): void {
    const element = (event.target as Element).closest<HTMLElement>("tr.row");
    const key = element?.dataset["key"];
    // A click that ends a text selection does not open the row; a key press does (it has no `detail`).
    if (key === undefined || (event.detail > 0 && String(getSelection()).length > 0)) return;
    this.listener.open(element?.dataset["selected"] === undefined ? key : undefined);
  }

  #focus(event: Event): void {
    this.current = (event.target as Element).closest<HTMLElement>("tr.row")?.dataset["key"] ?? this.current;
  }

  #key(event: KeyboardEvent): void {
    if (event.key === "Escape") return this.listener.open(undefined);
    const rows = this.#rows;
    const at = rows.findIndex(({ key }) => key === this.current);
    const steps: Readonly<Record<string, number>> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 };
    const next = rows[steps[event.key] ?? -1];
    if (at < 0 || !next) return;
    event.preventDefault();
    void this.focusRow(next.key);
  }
}

function grouped(rows: readonly PresenceRow[]): readonly Item[] {
  return groupRows(rows).flatMap(({ host, rows }) => {
    const active = rows.filter(({ status }) => status === "Active").length;
    const head = { key: `group\n${host}`, host, summary: `${count(rows.length, "instance")}, ${active} active` };
    return [head, ...rows.map((row) => ({ key: row.key, row }))];
  });
}

function groupHead(host: string, summary: string, line: Line | undefined) {
  const at = lineOf(line);
  return html`
    <tr class="group" role="row" data-index=${at.index} aria-rowindex=${at.row} .style=${at.style}>
      <th role="rowheader" scope="rowgroup" colspan=${HEADS.length}><strong dir="auto">${host}</strong><span class="sub">${summary}</span></th>
    </tr>`;
}
