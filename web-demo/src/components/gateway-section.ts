import type { PresenceRow, RosterSnapshot } from "openclaw-presence";
import { html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";

import { Part } from "../lib/part.js";
import { silentGateways } from "../state/gateways.js";
import type { Order } from "../state/roster-order.js";
import type { Session } from "../state/session.js";
import type { Target } from "../state/target.js";
import { DEFAULT_OPTIONS, filterRows } from "../state/view-options.js";
import { ConnectForm } from "./connect-form.js";
import { ConnectionBar } from "./connection-bar.js";
import { findingsCards } from "./findings-list.js";
import { HealthBox } from "./health-box.js";
import { RosterPane } from "./roster-pane.js";
import { SeenBox } from "./seen-box.js";
import { skeletonRows } from "./skeleton.js";
import { TimelineBox } from "./timeline-box.js";

/** The listener of a section. */
export interface SectionListener {
  /** Called when the user sends the form; throws the error to show there. */
  connect(target: Target): void;
  /** Called when the user changes the order. */
  order(order: Order): void;
  /** Called when the user resets the filters. */
  clear(): void;
  /** Called after an update; the open row may have changed. */
  drawn(): void;
  /** Called when the user removes the gateway; absent for the first. */
  remove?(): void;
}

/** The roster of one gateway with its connection, timeline and health. */
@customElement("gateway-section")
export class GatewaySection extends Part {
  @property({ attribute: false }) accessor options = DEFAULT_OPTIONS;
  @property({ attribute: false }) accessor isFindingsOpen = false;
  /** Name of the gateway; absent if there are no other sections. Each of several shows its name and connection. */
  @property({ attribute: false }) accessor name: string | undefined;
  readonly bar: ConnectionBar;
  readonly form: ConnectForm;
  readonly #timeline: TimelineBox;
  readonly #seen: SeenBox;
  readonly #health: HealthBox;
  readonly #pane: RosterPane;
  /** Whether the list had the open row at the last update. */
  #wasRowListed = false;

  /** @param findingsId is the id of the list of findings. */
  constructor(
    readonly session: Session,
    readonly findingsId: string,
    readonly listener: SectionListener,
  ) {
    super();
    const remove = listener.remove?.bind(listener);
    this.bar = new ConnectionBar(session, remove);
    this.form = new ConnectForm((target) => listener.connect(target), remove);
    if (session.suggested !== undefined) this.form.suggest({ url: session.suggested });
    this.#timeline = new TimelineBox(session.timeline);
    this.#seen = new SeenBox(session);
    this.#health = new HealthBox(session);
    this.#pane = new RosterPane(this, "Instances", (order) => listener.order(order));
    this.follow(session.live);
  }

  /** The key of the open row. */
  get openKey(): string | undefined {
    return this.#pane.openKey;
  }

  /** Whether it has rows or waits for them. */
  get isOpen(): boolean {
    const { target, roster } = this.session.live.value;
    return target !== undefined && !(roster?.connection.phase === "refused" && roster.rows.length === 0);
  }

  /** Opens a row, or closes it. */
  open(key: string | undefined): void {
    this.#pane.open(key);
  }

  /** Closes the details immediately. */
  closeDetails(): void {
    this.#pane.open(undefined);
    this.performUpdate();
  }

  /** Rows that match the filters. */
  get visible(): readonly PresenceRow[] {
    return filterRows(this.session.live.value.roster?.rows ?? [], this.options);
  }

  protected override render() {
    const { session, visible, name, isFindingsOpen: isOpen } = this;
    const { roster, findings, leftOut } = session.live.value;
    const rows = roster?.rows ?? [];
    const hasRows = rows.length > 0;
    // After a refusal too: another secret may help.
    this.form.hidden = this.isOpen && roster?.connection.phase !== "refused";
    return html`
      <section class="gateway-section stack" aria-label=${name === undefined ? nothing : name || "Another gateway"}>
        ${name ? html`<h2 class="gateway-name">${name}</h2>` : nothing}
        ${name === undefined ? nothing : this.bar}
        ${this.form}
        <div class="stack ${roster?.isOffline === true && hasRows ? "is-offline" : ""}" ?hidden=${!this.isOpen}>
          <div class="notices silent">${silentGateways(rows).map((sentence) => html`<p class="notice">${sentence}.</p>`)}</div>
          <div class="with-detail">
            <div class="main-column">
              ${findingsCards({ findings, leftOut, rows, isOpen, id: this.findingsId, reveal: (key) => this.#reveal(key) })}
              ${hasRows ? "" : emptyList(roster)}
              ${this.#pane.table}
              <div class="empty" role="status" ?hidden=${!hasRows || visible.length > 0}>
                <p>The search and filters hide ${rows.length === 1 ? "the only instance" : `all ${rows.length} instances`}.</p>
                <button type="button" class="button" @click=${() => this.listener.clear()}>Clear search and filters</button>
              </div>
              <p class="sub shown" role="status">${visible.length < rows.length && visible.length > 0 ? `${visible.length} of ${rows.length} shown` : ""}</p>
            </div>
            ${this.#pane.detail}
          </div>
          ${this.#timeline}
          ${this.#seen}
          ${this.#health}
        </div>
      </section>`;
  }

  protected override updated(): void {
    const { session, visible } = this;
    const { target, roster, findings } = session.live.value;
    // After a refusal or a disconnect the form has the last address.
    if (target) this.form.suggest(target);
    const { identities, history } = session;
    this.#pane.table.hidden = visible.length === 0;
    const isRowListed = this.#pane.show({
      ...this.options,
      rows: visible,
      all: roster?.rows ?? [],
      findings,
      changesOf: (key) => history.of(key),
      explain: session.explain,
      badge: (row) => (row.isOwn || identities.isCurrent(row) ? "this tab" : identities.find(row) && "was this tab"),
    });
    // If a removed row returns, its details stay closed.
    if (this.#wasRowListed && !isRowListed) this.open(undefined);
    this.#wasRowListed = isRowListed;
    this.listener.drawn();
  }

  #reveal(key: string): void {
    this.listener.clear();
    void this.#pane.reveal(key);
  }
}

/** States why the list is empty; placeholders while it is awaited. */
function emptyList(roster: RosterSnapshot | undefined) {
  if (roster?.hasList) return html`<p class="empty">The gateway lists no instances.</p>`;
  if (roster?.connection.phase !== "live") return skeletonRows();
  return html`<p class="empty">This page may not read the list: it needs the scope operator.read.</p>`;
}
