import type { FindingReport, PresenceRow } from "openclaw-presence";
import { html, nothing } from "lit";

import { count } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { findingRows } from "../state/finding-rows.js";
import { findingCard, worstFirst } from "./findings.js";

/** Findings of a list, and the rows they refer to. */
export interface FoundList {
  readonly findings: readonly FindingReport[];
  /** Number of findings omitted from the gateway's answer for lack of room. */
  readonly leftOut: number;
  readonly rows: readonly PresenceRow[];
  readonly isOpen: boolean;
  /** The id of the section. */
  readonly id: string;
  /** Called when the user selects a row of a finding. */
  readonly reveal: (key: string) => void;
}

/**
 * The button that toggles the findings. It is shown without findings too, so that their changes shift nothing. `ids`:
 * the lists it toggles.
 */
export function findingsChip(number: number, isOpen: boolean, ids: string, toggle: () => void) {
  return html`
    <button type="button" class="chip findings-chip" aria-controls=${ids} aria-expanded=${isOpen} ?data-found=${number > 0} @click=${toggle}>
      ${icon("twins")}<span>${count(number, "finding")}</span>${icon("chevron")}
    </button>`;
}

/** All findings of a list, and the number of omitted ones; empty while closed. */
export function findingsCards({ findings, leftOut, rows, isOpen, id, reveal }: FoundList) {
  const card = (finding: FindingReport) => {
    const key = findingRows(findings, rows).rowsOf(finding)[0]?.key;
    return findingCard(finding, key === undefined ? undefined : () => reveal(key));
  };
  return html`
    <section class="cards findings" id=${id} aria-label="Findings" ?hidden=${!isOpen}>
      ${!isOpen ? nothing : findings.length === 0 ? html`<p class="sub">No findings: each row looks like one client with an id of its own.</p>` : worstFirst(findings).map(card)}
      ${isOpen && leftOut > 0 ? html`<p class="sub">${count(leftOut, "more finding")} had no room in the gateway's answer.</p>` : nothing}
    </section>`;
}
