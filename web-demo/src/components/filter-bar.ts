import type { PresenceRow, Status } from "openclaw-presence";
import { html, nothing } from "lit";

import { duration } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { AGES, COLUMNS, columns, STATUSES, type ViewOptions } from "../state/view-options.js";
import { gatewaysOf, type Gateways } from "../state/gateways.js";
import { ORDERS, type Order } from "../state/roster-order.js";
import { menu } from "./menu.js";
import { select } from "./select.js";

/** The contents of a filter bar, and its listener. */
export interface FilterBarContent {
  readonly options: ViewOptions;
  /** All rows, including filtered ones. */
  readonly rows: readonly PresenceRow[];
  /** Whether a list has arrived; without one there is nothing to count. */
  readonly hasList: boolean;
  readonly change: (change: Partial<ViewOptions>) => void;
  /** Content after the counts. */
  readonly besideCounts: unknown;
  /** Content after the tools. */
  readonly extra: unknown;
}

/** Counts that are filters, a search, a mode, an order, and grouping. */
export function filterBar({ options, rows, hasList, change, besideCounts, extra }: FilterBarContent) {
  const { text, statuses, mode, gateway, order, isReversed, isGrouped, hidden, isAbsolute, activeS, idleS } = options;
  const value = (event: Event) => (event.target as HTMLInputElement | HTMLSelectElement).value;
  // The selected mode stays in the list, even without rows.
  const modes = [...new Set([mode, ...rows.map((row) => row.mode ?? "")])].filter(Boolean).sort();
  const gateways = gatewaysOf(rows);
  const chip = (status: Status) =>
    html`<button type="button" class="chip" data-status=${status} aria-pressed=${statuses.has(status)} @click=${() => change({ statuses: toggled(statuses, status) })}><span class="dot" aria-hidden="true"></span><strong class="num">${hasList ? rows.filter((row) => row.status === status).length : "–"}</strong> ${status}</button>`;
  return html`
    <div class="filters">
      <div class="counts">
        <span class="total"><strong class="num">${hasList ? rows.length : "–"}</strong><span> in all</span></span>
        <div class="chips" role="group" aria-label="Status">${STATUSES.map(chip)}</div>
        <div class="beside-counts">${besideCounts}</div>
      </div>
      <div class="tools">
        <div class="field search">
          <label for="filter-text" class="off-screen">Search</label>${icon("search")}
          <input id="filter-text" type="search" placeholder="Host, IP, version, ID…" autocomplete="off" spellcheck="false" .value=${text} @input=${(event: Event) => change({ text: value(event) })}>
        </div>
        <div class="field"><label for="filter-mode">Mode</label>${select("filter-mode", mode, [["", "All"], ...modes.map((each) => [each, each] as const)], (mode) => change({ mode }))}</div>
        ${gateways || gateway !== undefined ? gatewayField(gateways, gateway, change) : nothing}
        <div class="sorting">
          <div class="field"><label for="filter-order">Sort by</label>${select("filter-order", order, Object.entries(ORDERS), (order) => change({ order: order as Order }))}</div>
          <button type="button" class="button quiet icon-only" aria-pressed=${isReversed} aria-label="Reverse order" title="Reverse order" @click=${() => change({ isReversed: !isReversed })}>${icon("reverse")}</button>
        </div>
        <div class="menus">${menu("columns", "View", [
          ...columns().filter((column) => column !== "gateway" || gateways).map((column) => check(COLUMNS[column], !hidden.has(column), () => change({ hidden: toggled(hidden, column) }))),
          check("Group by host", isGrouped, () => change({ isGrouped: !isGrouped })),
          check("Times instead of ages", isAbsolute, () => change({ isAbsolute: !isAbsolute })),
          age("active", "Active up to", activeS, AGES.filter((each) => each < idleS), (activeS) => change({ activeS })),
          age("idle", "Idle up to", idleS, AGES.filter((each) => each > activeS), (idleS) => change({ idleS })),
        ])}${extra}</div>
      </div>
    </div>`;
}

function gatewayField(gateways: Gateways | undefined, gateway: string | undefined, change: FilterBarContent["change"]) {
  // The selected gateway stays in the list, even without rows.
  const observed = [...new Set([...(gateway ? [gateway] : []), ...(gateways?.observed ?? [])])].sort();
  // A gateway may have any name, including that of another choice.
  const choices: [value: string, label: string][] = [["all", "All"], ["own", gateways?.own ?? "this gateway"]];
  for (const name of observed) choices.push([`via ${name}`, name]);
  const chosen = gateway === undefined ? "all" : gateway === "" ? "own" : `via ${gateway}`;
  const choose = (value: string) => change({ gateway: value === "all" ? undefined : value === "own" ? "" : value.slice("via ".length) });
  return html`<div class="field"><label for="filter-gateway">Gateway</label>${select("filter-gateway", chosen, choices, choose)}</div>`;
}

function age(name: string, label: string, seconds: number, choices: readonly number[], choose: (seconds: number) => void) {
  const options = choices.map((each) => [String(each), duration(each * 1_000)] as const);
  return html`<div class="field check"><label for="filter-${name}">${label}</label>${select(`filter-${name}`, String(seconds), options, (value) => choose(Number(value)))}</div>`;
}

function check(label: string, isOn: boolean, toggle: () => void) {
  return html`<label class="check"><input type="checkbox" .checked=${isOn} @change=${toggle}>${label}</label>`;
}

function toggled<T>(set: ReadonlySet<T>, value: T): ReadonlySet<T> {
  const changed = new Set(set);
  if (!changed.delete(value)) changed.add(value);
  return changed;
}
