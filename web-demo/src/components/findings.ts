import type { FindingReport } from "openclaw-presence";
import { html } from "lit";

import { icon } from "../lib/icons.js";

const CONFIDENCE = { high: "Sure", medium: "Likely", low: "Possible, may be harmless" } as const;
const SEVERITY = { error: "Error", warning: "Warning", info: "Note" } as const;

/** A finding with its evidence and what to do. */
export function findingCard(finding: FindingReport, show?: () => void) {
  const { title, severity, confidence, code, evidence, fixHint, rows } = finding;
  const link = show && html`<button type="button" class="link" @click=${show}>Show the ${rows.length === 1 ? "row" : `${rows.length} rows`}</button>`;
  const badge = `${SEVERITY[severity]} · ${CONFIDENCE[confidence]}`;
  return card({ title, badge, severity, confidence, code, evidence, fix: fixHint }, link);
}

/** The worst first; those of one severity keep their order. */
export function worstFirst(findings: readonly FindingReport[]): readonly FindingReport[] {
  const ranks = Object.keys(SEVERITY);
  return [...findings].sort((a, b) => ranks.indexOf(a.severity) - ranks.indexOf(b.severity));
}

/** What such a card says. */
export interface Card {
  readonly title: string;
  readonly badge: string;
  readonly severity: FindingReport["severity"];
  readonly confidence: FindingReport["confidence"];
  readonly code: string;
  readonly evidence: readonly string[];
  readonly fix: string;
}

/** A card of that look. */
export function card({ title, badge, severity, confidence, code, evidence, fix }: Card, end?: unknown) {
  return html`
    <article class="finding" data-severity=${severity} data-confidence=${confidence} data-code=${code}>
      <h3><span>${icon("twins")}${title}</span><span class="badge">${badge}</span></h3>
      ${evidence.map((sentence) => html`<p class="evidence">${sentence}</p>`)}
      <p class="fix"><strong>Fix: </strong>${fix}</p>
      ${end}
    </article>`;
}
