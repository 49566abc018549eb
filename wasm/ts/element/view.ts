import type { PresenceRow, RosterSnapshot } from "../types.js";
import { orderRows, type RosterOrder } from "./order.js";
import { connectionText, emptyText, headingText, rowDetails, rowName, rowSeen, rowStatus } from "./text.js";

/** The parts of one drawn row. */
interface RowElement {
  readonly item: HTMLLIElement;
  readonly host: HTMLElement;
  readonly status: HTMLElement;
  readonly details: HTMLElement;
  readonly seen: HTMLElement;
  row: PresenceRow | undefined;
}

/** The inside of `<presence-roster>`: made once, then only what differs is written. */
export class RosterView {
  readonly #heading = element("span", "heading");
  readonly #connection = element("span", "connection");
  readonly #list = element("ul", "list");
  readonly #empty = element("slot");
  readonly #emptyText = element("p", "empty");
  readonly #news = element("div", "news");
  readonly #rows = new Map<string, RowElement>();

  constructor(root: ShadowRoot) {
    const header = element("header");
    header.append(this.#heading, this.#connection);
    // Safari takes the role from lists without bullets.
    this.#list.setAttribute("role", "list");
    this.#empty.name = "empty";
    this.#empty.append(this.#emptyText);
    this.#news.setAttribute("role", "status");
    this.#news.setAttribute("aria-live", "polite");
    root.append(header, this.#list, this.#empty, this.#news);
  }

  /** Shows a roster; nothing: no client. */
  show(roster: RosterSnapshot | undefined, heading: string, order: RosterOrder): void {
    const rows = roster?.rows ?? [];
    write(this.#heading, headingText(heading, rows));
    this.#list.setAttribute("aria-label", heading);
    const connection = roster?.connection ?? { phase: "stopped" };
    write(this.#connection, connectionText(connection));
    this.#connection.dataset["phase"] = connection.phase;
    this.#empty.hidden = this.#emptyText.hidden = rows.length > 0;
    write(this.#emptyText, roster ? emptyText(roster) : "No gateway is set.");
    this.#showRows(orderRows(rows, order));
  }

  /** Lets screen readers say something, once they are done with what they say. */
  tell(news: string): void {
    write(this.#news, news);
  }

  #showRows(rows: readonly PresenceRow[]): void {
    const gone = new Set(this.#rows.keys());
    for (const { key } of rows) gone.delete(key);
    for (const key of gone) {
      this.#rows.get(key)?.item.remove();
      this.#rows.delete(key);
    }
    // Elements that stand right already stay where they are: moving one restarts its animation.
    let next: Element | null = this.#list.firstElementChild;
    for (const row of rows) {
      let drawn = this.#rows.get(row.key);
      if (!drawn) this.#rows.set(row.key, (drawn = drawRow()));
      fillRow(drawn, row);
      if (drawn.item === next) next = next.nextElementSibling;
      else this.#list.insertBefore(drawn.item, next);
    }
  }
}

function drawRow(): RowElement {
  const item = element("li");
  item.part.add("row");
  const dot = element("span", "dot");
  dot.setAttribute("aria-hidden", "true");
  const host = element("span", "host");
  const status = element("span", "status");
  const details = element("span", "details");
  const seen = element("span", "seen");
  item.append(dot, host, status, details, seen);
  return { item, host, status, details, seen, row: undefined };
}

function fillRow(drawn: RowElement, row: PresenceRow): void {
  if (drawn.row === row) return;
  drawn.row = row;
  drawn.item.dataset["status"] = row.status;
  drawn.item.dataset["connected"] = String(row.isConnected);
  write(drawn.host, rowName(row));
  write(drawn.status, rowStatus(row));
  write(drawn.details, rowDetails(row));
  write(drawn.seen, rowSeen(row));
}

function write(target: HTMLElement, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** An element; its name is its class and its part. */
function element<T extends keyof HTMLElementTagNameMap>(tag: T, name?: string): HTMLElementTagNameMap[T] {
  const made = document.createElement(tag);
  if (name) {
    made.className = name;
    made.part.add(name);
  }
  return made;
}
