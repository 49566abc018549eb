import { isSame, MAX_DEPTH } from "../diff.js";
import { Roster } from "../roster.js";
import { frozen, rawRows, setRawRows } from "../rows.js";
import { EMPTY_SNAPSHOT } from "../snapshot.js";
import type { ConnectionState, Finding, PresenceEntry, PresenceRow, RosterSnapshot } from "../types.js";
import { plainConnection, type RosterMessage } from "./messages.js";

/** Encodes the leader's roster as messages to the other tabs: only changed rows, and the order only if it changed. */
export class RosterPublisher {
  readonly #leader: string;
  #seq = 0;
  #published: RosterSnapshot = EMPTY_SNAPSHOT;
  #instanceId: string | undefined;

  constructor(leader: string) {
    this.#leader = leader;
  }

  /** Number of messages so far. */
  get seq(): number {
    return this.#seq;
  }

  /** Returns the message that turns the previously published roster into this one; the first has the whole roster. */
  publish(roster: RosterSnapshot, instanceId: string | undefined): RosterMessage {
    const before = this.#published.rows;
    this.#published = roster;
    this.#instanceId = instanceId;
    this.#seq += 1;
    if (this.#seq === 1) return this.whole();
    const known = new Set(before);
    const isOrdered = roster.rows.length === before.length && roster.rows.every(({ key }, at) => key === before[at]?.key);
    return this.#message(false, roster.rows.filter((row) => !known.has(row)), isOrdered ? undefined : keysOf(roster.rows));
  }

  /** Returns the previously published roster as a whole, for a tab that missed messages. */
  whole(): RosterMessage {
    return this.#message(true, this.#published.rows, keysOf(this.#published.rows));
  }

  #message(isWhole: boolean, rows: readonly PresenceRow[], keys: readonly string[] | undefined): RosterMessage {
    const { hasList, isOffline } = this.#published;
    const changed = rows.map((row) => ({ row: { ...row, entry: postable(row.entry) }, raw: rawRows(row).map(postable) }));
    const connection = plainConnection(this.#published.connection);
    const [leader, seq, instanceId] = [this.#leader, this.#seq, this.#instanceId];
    return { type: "roster", leader, seq, isWhole, changed, keys, hasList, isOffline, connection, instanceId };
  }
}

/** Returns an entry without members that are nested too deeply: a copy of them would overflow the stack. */
function postable(entry: PresenceEntry): PresenceEntry {
  const members = Object.entries(entry);
  const kept = members.filter(([, value]) => isShallow(value, MEMBER_DEPTH));
  return kept.length === members.length ? entry : (Object.fromEntries(kept) as PresenceEntry);
}

/** The depth of an entry's members in a row. */
const MEMBER_DEPTH = 2;

function isShallow(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return depth < MAX_DEPTH && Object.values(value).every((inner) => isShallow(inner, depth + 1));
}

/** Returns the findings in a roster of another tab; empty where the core cannot be loaded synchronously. */
export function findingsOf(rows: readonly PresenceRow[]): readonly Finding[] {
  if (rows.length === 0) return [];
  let roster: Roster | undefined;
  try {
    roster = new Roster({ maxRows: 10_000 });
    // Nothing has expired at time 0.
    roster.apply(rows.flatMap(rawRows), 0);
    return roster.findings();
  } catch {
    return [];
  } finally {
    roster?.free();
  }
}

const keysOf = (rows: readonly PresenceRow[]) => rows.map(({ key }) => key);

/** The leader's roster in another tab. */
export class FollowedRoster {
  #leader: string | undefined;
  #seq = 0;
  #rows = new Map<string, PresenceRow>();
  #list: readonly PresenceRow[];
  /** Whether messages were missed, so that the whole roster is required. */
  needsWhole = true;

  constructor(rows: readonly PresenceRow[]) {
    this.#list = rows;
    this.#rows = new Map(rows.map((row) => [row.key, row]));
  }

  /** The last known leader. */
  get leader(): string | undefined {
    return this.#leader;
  }

  /** Whether messages of the leader are missing, given the number of its last one. */
  isBehind(leader: string, seq: number): boolean {
    return leader !== this.#leader || seq !== this.#seq;
  }

  /** Applies a message; equal rows keep their identity. `undefined` if it does not follow the previous one. */
  apply(message: RosterMessage, connection: ConnectionState): RosterSnapshot | undefined {
    const { leader, seq, isWhole, changed, keys, hasList, isOffline } = message;
    const isKnown = leader === this.#leader && !this.needsWhole;
    if (isKnown && isWhole) return undefined;
    if (!isWhole && !(isKnown && seq === this.#seq + 1)) {
      this.needsWhole = true;
      return undefined;
    }
    for (const { row, raw } of changed) {
      const old = this.#rows.get(row.key);
      if (old && isSame(old, row) && isSame(rawRows(old), raw)) continue;
      this.#rows.set(row.key, frozen(row));
      setRawRows(row, frozen(raw));
    }
    if (keys || changed.length > 0) {
      const order = keys ?? this.#list.map(({ key }) => key);
      const list = order.map((key) => this.#rows.get(key)).filter((row) => row !== undefined);
      this.#rows = new Map(list.map((row) => [row.key, row]));
      const isLike = list.length === this.#list.length && list.every((row, at) => row === this.#list[at]);
      if (!isLike) this.#list = Object.freeze(list);
    }
    this.#leader = leader;
    this.#seq = seq;
    this.needsWhole = false;
    return Object.freeze({ rows: this.#list, hasList, isOffline, connection });
  }
}
