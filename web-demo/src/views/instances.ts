import { html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";

import { CopyButton } from "../components/copy-button.js";
import { exportEntry, exportMenu, type ExportRow } from "../components/export-menu.js";
import { filterBar } from "../components/filter-bar.js";
import { findingsChip } from "../components/findings-list.js";
import { GatewaySection } from "../components/gateway-section.js";
import { pretty } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { sortRows, type Order } from "../state/roster-order.js";
import type { Router } from "../state/route.js";
import type { Session } from "../state/session.js";
import type { Sessions } from "../state/sessions.js";
import type { Target } from "../state/target.js";
import { DEFAULT_OPTIONS, fromQuery, toQuery, type ViewOptions } from "../state/view-options.js";
import { View, viewHead } from "./view.js";

/** Number of sections so far; makes ids unique on the page. */
let sectionCount = 0;

/** The live roster of a gateway, or those of several side by side. */
@customElement("instances-view")
export class InstancesView extends View {
  @state() private accessor options = DEFAULT_OPTIONS;
  @state() private accessor isFindingsOpen = false;
  readonly #sections = new Map<Session, GatewaySection>();
  readonly #copy = new CopyButton("Copy JSON", () => pretty(this.#exportRows().map(exportEntry)));

  constructor(
    readonly sessions: Sessions,
    readonly router: Router,
  ) {
    super();
    this.#syncSections();
    this.follow(sessions.changes);
  }

  /** Applies the options of a link; a link without options changes nothing. */
  protected override show(query: string): void {
    if (query === "") return;
    const { options, openKey, addresses } = fromQuery(query);
    this.#setOptions(options);
    this.sessions.addAddresses(addresses);
    this.#first.open(openKey);
  }

  /** Checks whether a gateway serves this page, unless a link stated one. */
  findGateway(): Promise<void> {
    return this.#first.form.findGateway();
  }

  /** Closes details that overlay the page, since they would block it. */
  protected override hide(): void {
    for (const section of this.#sections.values()) section.closeDetails();
  }

  protected override willUpdate(): void {
    this.#syncSections();
    const { options, isFindingsOpen } = this;
    for (const [session, section] of this.#sections) {
      const name = this.#sections.size > 1 ? this.sessions.nameOf(session) : undefined;
      Object.assign(section, { options, isFindingsOpen, name });
    }
  }

  protected override render() {
    const { options, sessions } = this;
    const sections = [...this.#sections.values()];
    const isSeveral = sections.length > 1;
    const toggle = () => (this.isFindingsOpen = !this.isFindingsOpen);
    const lives = sessions.all.value.map(({ live }) => live.value);
    const found = lives.reduce((sum, { findings, leftOut }) => sum + findings.length + leftOut, 0);
    const add = html`<button type="button" class="chip" ?disabled=${!sessions.hasRoom} @click=${this.#add}>${icon("plus")}Add gateway</button>`;
    return html`
      ${viewHead("Instances", "Who is connected, and when each was last seen.", isSeveral ? undefined : this.#first.bar)}
      <div ?hidden=${!sections.some(({ isOpen }) => isOpen)}>${filterBar({
        options,
        rows: lives.flatMap(({ roster }) => roster?.rows ?? []),
        hasList: lives.some(({ roster }) => roster?.hasList === true),
        change: (change) => this.#change(change),
        besideCounts: [findingsChip(found, this.isFindingsOpen, sections.map(({ findingsId }) => findingsId).join(" "), toggle), add],
        extra: exportMenu(() => this.#exportRows(), this.#copy),
      })}</div>
      <div class="gateways ${isSeveral ? "several" : nothing}">${repeat(sections, (section) => section, (section) => section)}</div>`;
  }

  get #first(): GatewaySection {
    return this.#sections.get(this.sessions.first)!;
  }

  /** Creates and removes sections to match the sessions. */
  #syncSections(): void {
    const all = this.sessions.all.value;
    for (const session of this.#sections.keys()) if (!all.includes(session)) this.#sections.delete(session);
    for (const session of all) if (!this.#sections.has(session)) this.#sections.set(session, this.#makeSection(session));
  }

  #makeSection(session: Session): GatewaySection {
    sectionCount += 1;
    const listener = {
      connect: (target: Target) => this.sessions.connect(session, target),
      order: (order: Order) => this.#setOrder(order),
      clear: () => this.#change({ text: "", statuses: new Set(), mode: "", gateway: undefined }),
      drawn: () => this.#writeAddress(),
    };
    const remove = session === this.sessions.first ? {} : { remove: () => this.sessions.remove(session) };
    return new GatewaySection(session, `findings-${sectionCount}`, { ...listener, ...remove });
  }

  protected override updated(): void {
    this.#writeAddress();
  }

  #writeAddress(): void {
    this.router.rewrite("instances", toQuery(this.options, this.#first.openKey, this.sessions.addresses));
  }

  async #add(): Promise<void> {
    // They would overlay the form.
    this.hide();
    const session = this.sessions.add();
    await this.updateComplete;
    const section = session && this.#sections.get(session);
    await section?.updateComplete;
    await section?.form.updateComplete;
    section?.querySelector<HTMLElement>("input")?.focus();
  }

  /** Returns the displayed rows in their order, with the gateways that list them if there are several. */
  #exportRows(): readonly ExportRow[] {
    const sections = [...this.#sections.values()];
    const { order, isReversed } = this.options;
    const listedBy = (session: Session) => (sections.length > 1 ? this.sessions.nameOf(session) : undefined);
    return sections.flatMap(({ session, visible }) => sortRows(visible, order, isReversed).map((row) => ({ row, listedBy: listedBy(session) })));
  }

  #change(change: Partial<ViewOptions>): void {
    this.#setOptions({ ...this.options, ...change });
  }

  /**
   * Applied immediately, not at the next update: the page connects right after its address is read, with these ages.
   */
  #setOptions(options: ViewOptions): void {
    this.options = options;
    this.sessions.setThresholds(options.activeS * 1_000, options.idleS * 1_000);
  }

  /** Sorts by a column; again, in reverse. */
  #setOrder(order: Order): void {
    const { order: before, isReversed } = this.options;
    this.#change({ order, isReversed: order === before && !isReversed });
  }
}
