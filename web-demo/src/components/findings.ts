import { rawRows, type Finding, type PresenceEntry, type PresenceRow } from "openclaw-presence";

import { h } from "../lib/dom.js";
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
export function findingCard(finding: Finding, show?: () => void): HTMLElement {
  const { title, confidence, evidence, fix, entries } = finding;
  const label = show && h("button", { type: "button", class: "link", on: { click: show } }, `Show the ${entries.length} rows`);
  return h(
    "article",
    { class: "finding", data: { confidence, code: finding.code } },
    findingTitle(title, CONFIDENCE[confidence]),
    evidence.map((sentence) => h("p", { class: "evidence" }, sentence)),
    h("p", { class: "fix" }, h("strong", {}, "Fix: "), fix),
    label,
  );
}

/** The head of such a card. */
export function findingTitle(title: string, confidence: string): HTMLElement {
  return h("h3", {}, h("span", {}, icon("twins"), title), h("span", { class: "badge" }, confidence));
}

/** What tells one entry of a list from the others: nothing that changes as it ages. */
function identityOf({ instanceId, deviceId, host, text, ts }: PresenceEntry): string {
  if (instanceId !== undefined) return `i\n${instanceId.trim().toLowerCase()}`;
  if (deviceId !== undefined) return `d\n${deviceId.trim().toLowerCase()}`;
  return `r\n${host}\n${text}\n${ts}`;
}
