import type { FindingReport, PresenceRow } from "openclaw-presence";

/** Which rows each finding is about, and the reverse. The gateway's own row is never part of a finding. */
export class FindingRows {
  readonly #rows = new Map<FindingReport, readonly PresenceRow[]>();
  readonly #findings = new Map<string, FindingReport[]>();
  /** Keys of rows in findings that a healthy list does not have. */
  readonly suspects: ReadonlySet<string>;

  constructor(findings: readonly FindingReport[], rows: readonly PresenceRow[]) {
    const suspects = new Set<string>();
    const byKey = new Map(findings.length === 0 ? [] : rows.map(({ key }, index) => [key, index]));
    for (const finding of findings) {
      const indexes = new Set(finding.rows.flatMap((key) => placesOf(key, byKey)));
      const about = [...indexes].sort((a, b) => a - b).flatMap((index) => rows[index] ?? []);
      this.#rows.set(finding, about);
      for (const { key } of about) {
        this.#findings.set(key, [...this.about(key), finding]);
        if (finding.severity !== "info") suspects.add(key);
      }
    }
    this.suspects = suspects;
  }

  /** Returns the rows that a finding is about, in the order of the list. */
  rowsOf(finding: FindingReport): readonly PresenceRow[] {
    return this.#rows.get(finding) ?? [];
  }

  /** Returns the findings about the row with this key. */
  about(key: string): readonly FindingReport[] {
    return this.#findings.get(key) ?? [];
  }
}

const known = new WeakMap<readonly PresenceRow[], { readonly findings: readonly FindingReport[]; readonly result: FindingRows }>();

/** Returns the {@link FindingRows} of a list, computed once per pair of list and findings. */
export function findingRows(findings: readonly FindingReport[], rows: readonly PresenceRow[]): FindingRows {
  const last = known.get(rows);
  if (last?.findings === findings) return last.result;
  const result = new FindingRows(findings, rows);
  known.set(rows, { findings, result });
  return result;
}

/**
 * Prefixes of the keys of rows. Findings of a list have these keys; findings of a gateway, and its history, have the
 * gateway's own keys, without the prefix.
 */
const KINDS = ["", "instance:", "device:", "row:"];

/** Returns the indexes of the rows that a key of a finding or of the history names. */
export function placesOf(key: string, byKey: ReadonlyMap<string, number>): readonly number[] {
  return KINDS.flatMap((kind) => byKey.get(kind + key) ?? []);
}
