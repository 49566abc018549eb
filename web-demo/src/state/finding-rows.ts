import { normalizeKey, rawRows, type Finding, type FindingReport, type PresenceEntry, type PresenceRow } from "openclaw-presence";

/** Which rows each finding is about, and the reverse. The gateway's own row is never part of a finding. */
export class FindingRows {
  readonly #rows = new Map<FindingReport, readonly PresenceRow[]>();
  readonly #findings = new Map<string, FindingReport[]>();
  /** Keys of rows in findings that a healthy list does not have. */
  readonly suspects: ReadonlySet<string>;

  constructor(findings: readonly FindingReport[], rows: readonly PresenceRow[]) {
    const suspects = new Set<string>();
    const byIdentity = findings.length === 0 ? new Map<string, Set<number>>() : indexRows(rows);
    const byKey = new Map(findings.length === 0 ? [] : rows.map(({ key }, index) => [key, index]));
    for (const finding of findings) {
      const ofList = entriesOf(finding).flatMap((entry) => [...(byIdentity.get(identityOf(entry)) ?? [])]);
      const indexes = new Set([...ofList, ...finding.rows.flatMap((key) => placesOf(key, byKey))]);
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

/** Returns the rows of the list that a finding is about; empty for findings from a gateway's memory. */
function entriesOf(finding: FindingReport & Partial<Pick<Finding, "entries">>): readonly PresenceEntry[] {
  return finding.entries ?? [];
}

/** Returns the indexes of the instances of a gateway's row. A row with ids belongs to the instance with the same id. */
function placesOf(key: string, byKey: ReadonlyMap<string, number>): readonly number[] {
  return ["instance:", "device:", "row:"].flatMap((kind) => byKey.get(kind + key) ?? []);
}

/** Returns the indexes of the list's rows by identity. */
function indexRows(rows: readonly PresenceRow[]): Map<string, Set<number>> {
  const places = new Map<string, Set<number>>();
  rows.forEach((row, index) => {
    if (row.isSelf) return;
    for (const entry of rawRows(row)) {
      const identity = identityOf(entry);
      const set = places.get(identity);
      if (set) set.add(index);
      else places.set(identity, new Set([index]));
    }
  });
  return places;
}

/** Returns what distinguishes an entry from others of its list. It does not change as the entry ages. */
function identityOf({ instanceId, deviceId, host, text, ts }: PresenceEntry): string {
  const [instance, device] = [keyOf(instanceId), keyOf(deviceId)];
  if (instance !== undefined) return `i\n${instance}`;
  if (device !== undefined) return `d\n${device}`;
  return `r\n${host}\n${text}\n${ts}`;
}

/** Gateways may send any value. */
function keyOf(id: unknown): string | undefined {
  return typeof id === "string" ? normalizeKey(id) : undefined;
}
