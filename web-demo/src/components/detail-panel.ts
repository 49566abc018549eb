import { isObservedGateway, rawRows, rowDevice, rowGateway, rowName, type FindingReport, type PresenceRow } from "openclaw-presence";
import { html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";

import { count, pretty, timeOfDay } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { Part } from "../lib/part.js";
import { Store } from "../lib/store.js";
import { isGateway } from "../state/gateways.js";
import type { Change } from "../state/history.js";
import { CopyButton } from "./copy-button.js";
import { findingCard } from "./findings.js";
import { RowExplanation, type Ask } from "./row-explanation.js";
import { statusMark } from "./status.js";

/** The details of a row. */
export interface Detail {
  readonly row: PresenceRow;
  readonly findings: readonly FindingReport[];
  /** Newest first. */
  readonly changes: readonly Change[];
  readonly explain?: Ask | undefined;
}

/** Below this width the panel overlays the page and traps the focus, because the table needs the room. */
const narrow = matchMedia("(max-width: 82rem)");
const isNarrow = new Store(narrow.matches);
narrow.addEventListener("change", () => isNarrow.set(narrow.matches));

/** The panel beside the table; on narrow screens it overlays the page from the side or from below. */
@customElement("detail-panel")
export class DetailPanel extends Part {
  /** The displayed details; if absent, the panel is closed. */
  @property({ attribute: false }) accessor detail: Detail | undefined;
  readonly #copy = new CopyButton("Copy as JSON", () => pretty(this.detail?.row.entry));
  readonly #why = new RowExplanation(() => this.requestUpdate());
  #shownKey: string | undefined;

  /** @param close is called when the user closes the panel. */
  constructor(readonly close: () => void) {
    super();
    this.follow(isNarrow);
  }

  /** Also updates in a hidden view: a modal dialog that stays open there would block the whole page. */
  protected override shouldUpdate(): boolean {
    return true;
  }

  /** Called when the row that was open is gone. */
  protected override passFocus(): void {
    this.close();
  }

  protected override render() {
    const cancel = (event: Event) => {
      event.preventDefault();
      this.close();
    };
    const escape = (event: KeyboardEvent) => event.key === "Escape" && !this.#isOver && this.close();
    return html`<dialog class="detail" aria-label="Details of an instance" @cancel=${cancel} @keydown=${escape}>${this.#content()}</dialog>`;
  }

  protected override updated(): void {
    const { detail } = this;
    this.#why.show(detail?.row, detail?.explain);
    const isOther = this.#dialog?.matches(":modal") !== this.#isOver;
    if (this.#dialog?.open && (!detail || isOther)) this.#dialog.close();
    if (detail && !this.#dialog?.open) this.#open();
    if (detail && detail.row.key !== this.#shownKey) this.#dialog?.scrollTo(0, 0);
    this.#shownKey = detail?.row.key;
  }

  /** Whether the panel overlays the page: on narrow screens, and if there are several tables. */
  get #isOver(): boolean {
    return isNarrow.value || this.closest(".several") !== null;
  }

  get #dialog(): HTMLDialogElement | null {
    return this.querySelector("dialog");
  }

  #open(): void {
    if (this.#isOver) return this.#dialog?.showModal();
    // Beside the table it takes no focus, so that keyboard users stay on their row.
    const focused = document.activeElement;
    this.#dialog?.show();
    if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  }

  #content() {
    if (!this.detail) return nothing;
    const { row, findings, explain } = this.detail;
    return html`
      <header>
        <div><h2 tabindex="-1">${rowName(row)}</h2>${statusMark(row.status, row.status === "Left" ? row.ageText : "")}</div>
        <button type="button" class="button icon-only" aria-label="Close details" @click=${this.close}>${icon("close")}</button>
      </header>
      <div class="detail-body">
        <div>${findings.map((finding) => findingCard(finding))}</div>
        <dl class="facts">${facts(row).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
        ${explain ? this.#why : nothing}
        ${explain && !this.#why.isSettled ? nothing : below(this.detail, this.#copy)}
      </div>`;
  }
}

/** The contents below the explanation. They appear together with it, so that nothing shifts. */
function below({ row, changes }: Detail, copy: CopyButton) {
  const raw = rawRows(row);
  return html`
    <section>
      <h3>Changes since this page was opened</h3>
      <ol class="changes">${changes.length === 0 ? html`<li class="sub">None yet.</li>` : changes.map(changeItem)}</ol>
    </section>
    <section><h3>Entry</h3><pre tabindex="0" aria-label="Entry as JSON">${pretty(row.entry)}</pre>${copy}</section>
    ${raw.length > 1 ? html`
      <div><section>
        <h3>${count(raw.length, "row")} of the gateway behind this one</h3>
        <p class="sub">This gateway lists one row per connection. They share an id, so they are shown as one instance.</p>
        ${raw.map((entry, index) => html`<pre tabindex="0" aria-label="Row ${index + 1} of ${raw.length} as JSON">${pretty(entry)}</pre>`)}
      </section></div>` : nothing}`;
}

/** Returns the observed gateway that a row comes from; absent for the gateway's own rows. */
function gatewayFact(row: PresenceRow): string | undefined {
  const gateway = rowGateway(row);
  if (gateway === undefined) return undefined;
  return isObservedGateway(row) ? `${gateway}: this row is the gateway itself` : `via ${gateway}`;
}

function facts(row: PresenceRow): readonly (readonly [name: string, value: string])[] {
  const seen = row.isSelf ? "now: it is the gateway itself" : `${row.ageText}${row.reasonLabel && ` (${row.reasonLabel})`}`;
  const all: readonly (readonly [string, string | undefined])[] = [
    ["Last seen", seen],
    ["Gateway", gatewayFact(row)],
    ["Last input", isGateway(row) ? undefined : row.lastInputText || "unknown"],
    ["IP", row.ip],
    ["Version", row.version],
    ["Device", rowDevice(row) || undefined],
    ["Mode", row.mode],
    ["Roles", row.roles.join(", ") || undefined],
    ["Scopes", row.scopes.join(", ") || undefined],
    ["instanceId", row.instanceId ?? (isGateway(row) ? undefined : "none: a reconnect is a new row")],
    ["deviceId", row.deviceId],
    ["Text", row.text],
  ];
  return all.filter((fact): fact is readonly [string, string] => fact[1] !== undefined);
}

const KINDS = { listed: "Listed when this page was opened", joined: "Joined", removed: "Removed from the list", changed: "" } as const;

function changeItem({ atMs, kind, fields }: Change) {
  return html`
    <li>
      <time class="num">${timeOfDay(atMs)}</time>
      <div>${KINDS[kind]}${fields.map(({ name, before, after }) => html`<p><code>${name}</code> <del>${before}</del> → <ins>${after}</ins></p>`)}</div>
    </li>`;
}
