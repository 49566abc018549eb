import { rawRows, type Finding, type PresenceEntry, type PresenceRow } from "openclaw-presence";
import { html } from "lit";

import { icon } from "../lib/icons.js";

/** Keys of the rows that a finding speaks of. A finding that is about as likely harmless marks none. */
export function duplicateKeys(findings: readonly Finding[], rows: readonly PresenceRow[]): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const finding of findings) {
    if (finding.confidence === "low") continue;
    for (const row of rowsOf(finding, rows)) keys.add(row.key);
  }
  return keys;
}

/** The rows that a finding speaks of, in the order of the list. */
export function rowsOf(finding: Finding, rows: readonly PresenceRow[]): readonly PresenceRow[] {
  const about = new Set(finding.entries.map(identityOf));
  return rows.filter((row) => !row.isSelf && rawRows(row).some((entry) => about.has(identityOf(entry))));
}

/** The findings that speak of a row. */
export function findingsAbout(findings: readonly Finding[], row: PresenceRow): readonly Finding[] {
  return findings.filter((finding) => rowsOf(finding, [row]).length > 0);
}

const CONFIDENCE = { high: "Sure", medium: "Likely", low: "Maybe, maybe harmless" } as const;

/** A finding with its evidence and what to do. */
export function findingCard({ title, confidence, code, evidence, fix, entries }: Finding, show?: () => void) {
  const link = show && html`<button type="button" class="link" @click=${show}>Show the ${entries.length} rows</button>`;
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

/** What tells one entry of a list from the others: nothing that changes as it ages. */
function identityOf({ instanceId, deviceId, host, text, ts }: PresenceEntry): string {
  if (instanceId !== undefined) return `i\n${instanceId.trim().toLowerCase()}`;
  if (deviceId !== undefined) return `d\n${deviceId.trim().toLowerCase()}`;
  return `r\n${host}\n${text}\n${ts}`;
}
