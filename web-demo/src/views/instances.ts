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
import { pretty } from "../lib/format.js";
import { DEFAULT_OPTIONS, filterRows, fromQuery, toQuery, type ViewOptions } from "../state/view-options.js";
import type { Order } from "../state/roster-order.js";
import type { Router } from "../state/route.js";
import type { Session } from "../state/session.js";
import { View, viewHead } from "./view.js";

/** The live roster of a gateway. */
@customElement("instances-view")
export class InstancesView extends View {
  @state() private accessor options = DEFAULT_OPTIONS;
  @state() private accessor isFindingsOpen = false;
  /** Rows that the options let through. */
  #visible: readonly PresenceRow[] = [];
  readonly #bar: ConnectionBar;
  readonly #form: ConnectForm;
  readonly #timeline: TimelineBox;
  readonly #health: HealthBox;
  readonly #copy = new CopyButton("Copy JSON", () => pretty(this.#visible.map(({ entry }) => entry)));
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
    const { options, openKey } = fromQuery(query);
    this.#setOptions(options);
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

  protected override willUpdate(): void {
    this.#visible = filterRows(this.session.live.value.roster?.rows ?? [], this.options);
  }

  protected override render() {
    const { session, options } = this;
    const { target, roster, findings } = session.live.value;
    const rows = roster?.rows ?? [];
    const hasRows = rows.length > 0;
    const isRefused = roster?.connection.phase === "refused" && !hasRows;
    const visible = this.#visible;
    this.#form.hidden = target !== undefined && !isRefused;
    const toggle = () => (this.isFindingsOpen = !this.isFindingsOpen);
    return html`
      ${viewHead("Instances", "Who is connected to this OpenClaw gateway, and how recently each was heard of.", this.#bar)}
      ${this.#form}
      <div class="stack ${roster?.isOffline === true && hasRows ? "is-offline" : ""}" ?hidden=${target === undefined || isRefused}>
        ${filterBar({
          options,
          rows,
          change: (change) => this.#change(change),
          besideCounts: findingsChip(findings, this.isFindingsOpen, "findings", toggle),
          extra: [this.#copy, exportMenu(() => this.#visible)],
        })}
        ${silentNotices(rows)}
        <div class="with-detail">
          <div class="main-column">
            ${findingsCards(findings, rows, this.isFindingsOpen, "findings", (key) => this.#reveal(key))}
            ${hasRows ? "" : skeletonRows()}
            ${this.#pane.table}
            <div class="empty" ?hidden=${!hasRows || visible.length > 0}>
              <p>The search and filters hide ${rows.length === 1 ? "the only instance" : `all ${rows.length} instances`}.</p>
              <button type="button" class="button" @click=${() => this.#showAll()}>Clear search and filters</button>
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
    const { session, options } = this;
    const { target, roster, findings } = session.live.value;
    const rows = roster?.rows ?? [];
    if (roster?.connection.phase === "refused" && target) this.#form.suggest(target);
    this.router.rewrite("instances", toQuery(options, this.#pane.openKey));
    const visible = this.#visible;
    const { identities, history } = session;
    this.#pane.table.hidden = visible.length === 0;
    this.#pane.show({
      ...options,
      rows: visible,
      all: rows,
      findings,
      changesOf: (key) => history.of(key),
      badge: (row) => (row.isOwn || identities.isCurrent(row) ? "this tab" : identities.find(row) && "was this tab"),
    });
  }

  #change(change: Partial<ViewOptions>): void {
    this.#setOptions({ ...this.options, ...change });
  }

  /** At once, and not when it is drawn: the page connects after its address is read, with these ages. */
  #setOptions(options: ViewOptions): void {
    this.options = options;
    this.session.setThresholds(options.activeS * 1_000, options.idleS * 1_000);
  }

  #showAll(): void {
    this.#change({ text: "", statuses: new Set(), mode: "", gateway: undefined });
  }

  /** Sorts by that; once more turns the order round. */
  #setOrder(order: Order): void {
    const { order: before, isReversed } = this.options;
    this.#change({ order, isReversed: order === before && !isReversed });
  }

  #reveal(key: string): void {
    this.#showAll();
    void this.#pane.reveal(key);
  }
}
