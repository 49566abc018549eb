import { normalizeKey, rawRows, type Finding, type PresenceEntry, type PresenceRow } from "openclaw-presence";

/** Which rows each finding is about, and the reverse. The gateway's own row is never part of a finding. */
export class FindingRows {
  readonly #rows = new Map<Finding, readonly PresenceRow[]>();
  readonly #findings = new Map<string, Finding[]>();
  /** Keys of rows in findings that a healthy list does not have. */
  readonly suspects: ReadonlySet<string>;

  constructor(findings: readonly Finding[], rows: readonly PresenceRow[]) {
    const suspects = new Set<string>();
    const byIdentity = findings.length === 0 ? new Map<string, Set<number>>() : indexRows(rows);
    for (const finding of findings) {
      const indexes = new Set(finding.entries.flatMap((entry) => [...(byIdentity.get(identityOf(entry)) ?? [])]));
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
  rowsOf(finding: Finding): readonly PresenceRow[] {
    return this.#rows.get(finding) ?? [];
  }

  /** Returns the findings about the row with this key. */
  about(key: string): readonly Finding[] {
    return this.#findings.get(key) ?? [];
  }
}

const known = new WeakMap<readonly PresenceRow[], { readonly findings: readonly Finding[]; readonly result: FindingRows }>();

/** Returns the {@link FindingRows} of a list, which are made once for each pair of list and findings. */
export function findingRows(findings: readonly Finding[], rows: readonly PresenceRow[]): FindingRows {
  const last = known.get(rows);
  if (last?.findings === findings) return last.result;
  const result = new FindingRows(findings, rows);
  known.set(rows, { findings, result });
  return result;
}

/** Places of the rows with an identity in the list. */
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

/** What distinguishes an entry from the others of its list. Nothing in it changes as the entry ages. */
function identityOf({ instanceId, deviceId, host, text, ts }: PresenceEntry): string {
  const [instance, device] = [keyOf(instanceId), keyOf(deviceId)];
  if (instance !== undefined) return `i\n${instance}`;
  if (device !== undefined) return `d\n${device}`;
  return `r\n${host}\n${text}\n${ts}`;
}

/** Gateways send anything. */
function keyOf(id: unknown): string | undefined {
  return typeof id === "string" ? normalizeKey(id) : undefined;
}
