import type { PresenceRow } from "openclaw-presence";
import { html } from "lit";
import { customElement, state } from "lit/decorators.js";

import { ConnectForm } from "../components/connect-form.js";
import { ConnectionBar } from "../components/connection-bar.js";
import { CopyButton } from "../components/copy-button.js";
import { exportMenu } from "../components/export-menu.js";
import { filterBar } from "../components/filter-bar.js";
import { findingsCards, findingsChip } from "../components/findings-list.js";
import { HealthBox } from "../components/health-box.js";
import { RosterPane } from "../components/roster-pane.js";
import { silentNotices } from "../components/silent-notices.js";
import { skeletonRows } from "../components/skeleton.js";
import { TimelineBox } from "../components/timeline-box.js";
import { count, pretty } from "../lib/format.js";
import { filterRows, fromQuery, NO_FILTER, toQuery, type Filter } from "../state/filter.js";
import type { Order } from "../state/roster-order.js";
import type { Router } from "../state/route.js";
import type { Session } from "../state/session.js";
import { View, viewHead } from "./view.js";

/** The live roster of a gateway. */
@customElement("instances-view")
export class InstancesView extends View {
  @state() private accessor filter = NO_FILTER;
  @state() private accessor isFindingsOpen = false;
  readonly #bar: ConnectionBar;
  readonly #form: ConnectForm;
  readonly #timeline: TimelineBox;
  readonly #health: HealthBox;
  readonly #copy = new CopyButton("Copy JSON", () => pretty(this.#visible().map(({ entry }) => entry)));
  readonly #pane = new RosterPane(this, "Instances", (order) => this.#setOrder(order));

  constructor(
    readonly session: Session,
    readonly router: Router,
  ) {
    super();
    this.#bar = new ConnectionBar(session);
    this.#form = new ConnectForm((target) => session.connect(target));
    this.#timeline = new TimelineBox(session.timeline);
    this.#health = new HealthBox(session);
    this.follow(session.live);
  }

  /** What a link says is shown; one that says nothing changes nothing. */
  protected override show(query: string): void {
    if (query === "") return;
    const { filter, openKey } = fromQuery(query);
    this.#setFilter(filter);
    this.#pane.open(openKey);
  }

  /** Looks whether a gateway serves this page, when no link said so. */
  findGateway(): Promise<void> {
    return this.#form.findGateway();
  }

  /** Details that lie over the page would keep it from being used. */
  protected override hide(): void {
    this.#pane.open(undefined);
  }

  protected override render() {
    const { session, filter } = this;
    const { target, roster, findings } = session.live.value;
    const rows = roster?.rows ?? [];
    const hasRows = rows.length > 0;
    const isRefused = roster?.connection.phase === "refused" && !hasRows;
    const visible = this.#visible();
    this.#form.hidden = target !== undefined && !isRefused;
    const toggle = () => (this.isFindingsOpen = !this.isFindingsOpen);
    return html`
      ${viewHead("Instances", "Who is connected to this OpenClaw gateway, and how recently each was heard of.", this.#bar)}
      ${this.#form}
      <div class="stack ${roster?.isOffline === true && hasRows ? "is-offline" : ""}" ?hidden=${target === undefined || isRefused}>
        ${filterBar({
          filter,
          rows,
          change: (change) => this.#change(change),
          besideCounts: findingsChip(findings, this.isFindingsOpen, "findings", toggle),
          extra: [this.#copy, exportMenu(() => this.#visible())],
        })}
        ${silentNotices(rows)}
        <div class="with-detail">
          <div class="main-column">
            ${findingsCards(findings, rows, this.isFindingsOpen, "findings", (key) => this.#reveal(key))}
            ${hasRows ? "" : skeletonRows()}
            ${this.#pane.table}
            <div class="empty" ?hidden=${!hasRows || visible.length > 0}>
              <p>None of the ${count(rows.length, "instance")} is like that.</p>
              <button type="button" class="button" @click=${() => this.#showAll()}>Show all</button>
            </div>
            <p class="sub shown">${visible.length < rows.length && visible.length > 0 ? `${visible.length} of ${rows.length} shown` : ""}</p>
          </div>
          ${this.#pane.detail}
        </div>
        ${this.#timeline}
        ${this.#health}
      </div>`;
  }

  protected override updated(): void {
    const { session, filter } = this;
    const { target, roster, findings } = session.live.value;
    const rows = roster?.rows ?? [];
    if (roster?.connection.phase === "refused" && target) this.#form.suggest(target);
    this.router.rewrite("instances", toQuery(filter, this.#pane.openKey));
    const visible = this.#visible();
    const { identities, history } = session;
    this.#pane.table.hidden = visible.length === 0;
    this.#pane.show({
      ...filter,
      rows: visible,
      all: rows,
      findings,
      changesOf: (key) => history.of(key),
      badge: (row) => (row.isOwn || identities.isCurrent(row) ? "this tab" : identities.find(row) && "was this tab"),
    });
  }

  #visible(): readonly PresenceRow[] {
    return filterRows(this.session.live.value.roster?.rows ?? [], this.filter);
  }

  #change(change: Partial<Filter>): void {
    this.#setFilter({ ...this.filter, ...change });
  }

  /** At once, and not when it is drawn: the page connects after its address is read, with these ages. */
  #setFilter(filter: Filter): void {
    this.filter = filter;
    this.session.setThresholds(filter.activeS * 1_000, filter.idleS * 1_000);
  }

  #showAll(): void {
    this.#change({ text: "", statuses: new Set(), mode: "", gateway: undefined });
  }

  /** Sorts by that; once more turns the order round. */
  #setOrder(order: Order): void {
    const { order: before, isReversed } = this.filter;
    this.#change({ order, isReversed: order === before && !isReversed });
  }

  #reveal(key: string): void {
    this.#showAll();
    void this.#pane.reveal(key);
  }
}
