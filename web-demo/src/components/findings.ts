import type { FindingReport } from "openclaw-presence";
import { html } from "lit";

import { icon } from "../lib/icons.js";

const CONFIDENCE = { high: "Sure", medium: "Likely", low: "Possible, may be harmless" } as const;
const SEVERITY = { error: "Error", warning: "Warning", info: "Note" } as const;

/** A finding with its evidence and fix. */
export function findingCard(finding: FindingReport, show?: () => void) {
  const { title, severity, confidence, code, evidence, fixHint, rows } = finding;
  const link = show && html`<button type="button" class="link" @click=${show}>Show the ${rows.length === 1 ? "row" : `${rows.length} rows`}</button>`;
  const badge = `${SEVERITY[severity]} · ${CONFIDENCE[confidence]}`;
  return card({ title, badge, severity, confidence, code, evidence, fix: fixHint }, link);
}

/** Sorts findings by descending severity; the order within a severity is stable. */
export function worstFirst(findings: readonly FindingReport[]): readonly FindingReport[] {
  const ranks = Object.keys(SEVERITY);
  return [...findings].sort((a, b) => ranks.indexOf(a.severity) - ranks.indexOf(b.severity));
}

/** The contents of a card. */
export interface Card {
  readonly title: string;
  readonly badge: string;
  readonly severity: FindingReport["severity"];
  readonly confidence: FindingReport["confidence"];
  readonly code: string;
  readonly evidence: readonly string[];
  readonly fix: string;
}

/** Renders a card. */
export function card({ title, badge, severity, confidence, code, evidence, fix }: Card, end?: unknown) {
  return html`
    <article class="finding" data-severity=${severity} data-confidence=${confidence} data-code=${code}>
      <h3><span>${icon("twins")}${title}</span><span class="badge">${badge}</span></h3>
      ${evidence.map((sentence) => html`<p class="evidence">${sentence}</p>`)}
      <p class="fix"><strong>Fix: </strong>${fix}</p>
      ${end}
    </article>`;
}
