import type { PresenceRow } from "openclaw-presence";

import { ConnectForm } from "../components/connect-form.js";
import { ConnectionBar } from "../components/connection-bar.js";
import { copyButton } from "../components/copy-button.js";
import { DetailPanel } from "../components/detail-panel.js";
import { exportMenu } from "../components/export-menu.js";
import { FilterBar } from "../components/filter-bar.js";
import { duplicateKeys, findingsAbout } from "../components/findings.js";
import { FindingsList } from "../components/findings-list.js";
import { healthBox } from "../components/health-box.js";
import { RosterTable } from "../components/roster-table.js";
import { skeletonRows } from "../components/skeleton.js";
import { timelineBox } from "../components/timeline-box.js";
import { h, write } from "../lib/dom.js";
import { count, pretty } from "../lib/format.js";
import { filterRows, fromQuery, toQuery } from "../state/filter.js";
import type { Router } from "../state/route.js";
import type { Live, Session } from "../state/session.js";
import { viewHead, type View } from "./view.js";

/** The live roster of a gateway. */
export class InstancesView implements View {
  readonly element: HTMLElement;
  readonly #session: Session;
  readonly #router: Router;
  readonly #form: ConnectForm;
  readonly #filters: FilterBar;
  readonly #table: RosterTable;
  readonly #detail: DetailPanel;
  readonly #findings: FindingsList;
  readonly #skeleton = skeletonRows();
  readonly #empty = h("div", { class: "empty" });
  readonly #emptyText = h("p");
  readonly #shown = h("p", { class: "sub shown" });
  readonly #roster: HTMLElement;
  readonly #connected: HTMLElement;
  #selected: string | undefined;

  constructor(session: Session, router: Router) {
    this.#session = session;
    this.#router = router;
    this.#form = new ConnectForm((target) => session.connect(target));
    this.#findings = new FindingsList((key) => {
      this.#filters.clear();
      this.#select(key);
      this.#table.reveal(key);
    });
    this.#filters = new FilterBar(
      this.#findings.button,
      copyButton("Copy JSON", () => pretty(this.#visible().map(({ entry }) => entry))),
      exportMenu(() => this.#visible()),
    );
    this.#table = new RosterTable("Instances", {
      open: (key) => this.#select(key),
      order: (order) => this.#filters.setOrder(order),
    });
    this.#detail = new DetailPanel(() => this.#close());
    const clear = h("button", { type: "button", class: "button", on: { click: () => this.#filters.clear() } }, "Show all");
    this.#empty.append(this.#emptyText, clear);
    this.#roster = h(
      "div",
      { class: "with-detail" },
      h("div", { class: "main-column" }, this.#findings.element, this.#skeleton, this.#table.element, this.#empty, this.#shown),
      this.#detail.element,
    );
    this.#connected = h("div", { class: "stack" }, this.#filters.element, this.#roster, timelineBox(session.timeline), healthBox(session));
    this.element = h(
      "div",
      { class: "view" },
      viewHead("Instances", "Who is connected to this OpenClaw gateway, and how recently each was heard of.", new ConnectionBar(session).element),
      this.#form.element,
      this.#connected,
    );
    session.live.watch((live) => this.#show(live));
    this.#filters.filter.watch(() => this.#follow());
  }

  /** What a link says is shown; one that says nothing changes nothing. */
  show(query: string): void {
    if (query === "") return this.#follow();
    const { filter, openKey } = fromQuery(query);
    this.#selected = openKey;
    this.#filters.filter.set(filter);
    this.#follow();
  }

  /** Looks whether a gateway serves this page, when no link said so. */
  findGateway(): Promise<void> {
    return this.#form.findGateway();
  }

  /** Details that lie over the page would keep it from being used. */
  hide(): void {
    this.#select(undefined);
  }

  #show({ target, roster, findings }: Live): void {
    const rows = roster?.rows ?? [];
    const isRefused = roster?.connection.phase === "refused";
    const hasRows = rows.length > 0;
    this.#form.element.hidden = target !== undefined && !(isRefused && !hasRows);
    if (isRefused && target) this.#form.suggest(target);
    this.#connected.hidden = target === undefined || (isRefused && !hasRows);
    this.#skeleton.hidden = hasRows;
    this.#connected.classList.toggle("is-offline", roster?.isOffline === true && hasRows);

    const visible = this.#visible();
    this.#filters.count(rows);
    this.#table.element.hidden = visible.length === 0;
    this.#empty.hidden = !hasRows || visible.length > 0;
    write(this.#emptyText, `None of the ${count(rows.length, "instance")} is like that.`);
    write(this.#shown, visible.length < rows.length && visible.length > 0 ? `${visible.length} of ${rows.length} shown` : "");

    const { order, isReversed, isGrouped, hidden, isAbsolute } = this.#filters.filter.value;
    const selected = rows.find(({ key }) => key === this.#selected);
    const { identities } = this.#session;
    const badge = (row: PresenceRow) => (row.isOwn || identities.isCurrent(row) ? "this tab" : identities.find(row) && "was this tab");
    this.#table.show({ rows: visible, order, isReversed, isGrouped, hidden, isAbsolute, selected: selected?.key, duplicates: duplicateKeys(findings, rows), badge });
    this.#findings.show(findings, rows);
    this.#detail.show(
      selected && { row: selected, findings: findingsAbout(findings, selected), changes: this.#session.history.of(selected.key) },
    );
  }

  #visible() {
    return filterRows(this.#session.live.value.roster?.rows ?? [], this.#filters.filter.value);
  }

  #select(key: string | undefined): void {
    this.#selected = key;
    this.#follow();
  }

  /** Shows what is chosen, and writes it into the address. */
  #follow(): void {
    this.#router.rewrite("instances", toQuery(this.#filters.filter.value, this.#selected));
    this.#show(this.#session.live.value);
  }

  #close(): void {
    const key = this.#selected;
    this.#select(undefined);
    if (key !== undefined) this.#table.focus(key);
  }
}
