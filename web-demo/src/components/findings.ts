import type { Finding } from "openclaw-presence";
import { html } from "lit";

import { icon } from "../lib/icons.js";

const CONFIDENCE = { high: "Sure", medium: "Likely", low: "Possible, may be harmless" } as const;

/** A finding with its evidence and what to do. */
export function findingCard({ title, confidence, code, evidence, fix, entries }: Finding, show?: () => void) {
  const link = show && html`<button type="button" class="link" @click=${show}>Show the ${entries.length === 1 ? "row" : `${entries.length} rows`}</button>`;
  return card({ title, badge: CONFIDENCE[confidence], confidence, code, evidence, fix }, link);
}

/** What such a card says. */
export interface Card {
  readonly title: string;
  readonly badge: string;
  readonly confidence: Finding["confidence"];
  readonly code: string;
  readonly evidence: readonly string[];
  readonly fix: string;
}

/** A card of that look. */
export function card({ title, badge, confidence, code, evidence, fix }: Card, end?: unknown) {
  return html`
    <article class="finding" data-confidence=${confidence} data-code=${code}>
      <h3><span>${icon("twins")}${title}</span><span class="badge">${badge}</span></h3>
      ${evidence.map((sentence) => html`<p class="evidence">${sentence}</p>`)}
      <p class="fix"><strong>Fix: </strong>${fix}</p>
      ${end}
    </article>`;
}
