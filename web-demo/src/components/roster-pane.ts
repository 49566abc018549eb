import type { FindingReport, PresenceRow } from "openclaw-presence";

import type { Part } from "../lib/part.js";
import type { Change } from "../state/history.js";
import { findingRows } from "../state/finding-rows.js";
import { gatewaysOf } from "../state/gateways.js";
import type { Order } from "../state/roster-order.js";
import { DetailPanel } from "./detail-panel.js";
import type { Ask } from "./row-explanation.js";
import { RosterTable, type TableContent } from "./roster-table.js";

/** The contents of a pane. */
export interface PaneContent extends Omit<TableContent, "order" | "selected" | "suspects" | "ownGateway"> {
  /** The order; if absent, the pane has its own. */
  readonly order?: Order;
  /** All rows, including filtered ones. */
  readonly all?: readonly PresenceRow[];
  readonly findings: readonly FindingReport[];
  readonly changesOf?: (key: string) => readonly Change[];
  readonly explain?: Ask;
}

/** A table and the panel with the details of the open row. */
export class RosterPane {
  readonly table: RosterTable;
  readonly detail = new DetailPanel(() => void this.#close());
  #openKey: string | undefined;
  #order: Order = "name";
  #isReversed = false;

  /** @param host renders both; @param order is called when the user selects an order; if absent, the pane sorts. */
  constructor(
    readonly host: Part,
    label: string,
    order?: (order: Order) => void,
  ) {
    this.table = new RosterTable(label, {
      open: (key) => this.open(key),
      order: order ?? ((each) => this.#sort(each)),
      hasOnlyHeads: !order,
    });
  }

  /** The key of the open row. */
  get openKey(): string | undefined {
    return this.#openKey;
  }

  /** Opens a row, or closes it. */
  open(key: string | undefined): void {
    this.#openKey = key;
    this.host.requestUpdate();
  }

  /** Opens a row and scrolls to it. */
  async reveal(key: string): Promise<void> {
    this.open(key);
    await this.host.updateComplete;
    await this.table.reveal(key);
  }

  /** Shows these contents; returns whether the list has the open row. */
  show({ all, findings, changesOf, explain, order = this.#order, isReversed = this.#isReversed, ...content }: PaneContent): boolean {
    const { rows } = content;
    const whole = all ?? rows;
    const row = whole.find(({ key }) => key === this.#openKey);
    const about = findingRows(findings, whole);
    const ownGateway = gatewaysOf(whole)?.own;
    this.table.content = { ...content, order, isReversed, selected: row?.key, suspects: about.suspects, ownGateway };
    this.detail.detail = row && { row, findings: about.about(row.key), changes: changesOf?.(row.key) ?? [], explain };
    return row !== undefined;
  }

  /** Sorts by a column; again, in reverse. */
  #sort(order: Order): void {
    this.#isReversed = order === this.#order && !this.#isReversed;
    this.#order = order;
    this.host.requestUpdate();
  }

  async #close(): Promise<void> {
    const key = this.#openKey;
    this.open(undefined);
    await this.host.updateComplete;
    await this.table.focusRow(key);
  }
}
