import type { FindingReport, PresenceRow } from "openclaw-presence";
import { html, nothing } from "lit";

import { count } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { findingRows } from "../state/finding-rows.js";
import { findingCard, worstFirst } from "./findings.js";

/** The button that unfolds the findings. It is always there, at nought too: a finding that comes or goes moves nothing. `ids`: the lists that it unfolds. */
export function findingsChip(number: number, isOpen: boolean, ids: string, toggle: () => void) {
  return html`
    <button type="button" class="chip findings-chip" aria-controls=${ids} aria-expanded=${isOpen} ?data-found=${number > 0} @click=${toggle}>
      ${icon("twins")}<span>${count(number, "finding")}</span>${icon("chevron")}
    </button>`;
}

/** All findings of a list; closed, it is empty. `reveal`: the user wants to see a row. */
export function findingsCards(findings: readonly FindingReport[], rows: readonly PresenceRow[], isOpen: boolean, id: string, reveal: (key: string) => void) {
  const card = (finding: FindingReport) => {
    const key = findingRows(findings, rows).rowsOf(finding)[0]?.key;
    return findingCard(finding, key === undefined ? undefined : () => reveal(key));
  };
  return html`
    <section class="cards findings" id=${id} aria-label="Findings" ?hidden=${!isOpen}>
      ${!isOpen ? nothing : findings.length === 0 ? html`<p class="sub">No findings: each row looks like one client with an id of its own.</p>` : worstFirst(findings).map(card)}
    </section>`;
}
