import { isSame } from "../diff.js";
import { Roster } from "../roster.js";
import { frozen, rawRows, setRawRows } from "../rows.js";
import { EMPTY_SNAPSHOT } from "../snapshot.js";
import type { ConnectionState, Finding, PresenceRow, RosterSnapshot } from "../types.js";
import { plainConnection, type RosterMessage } from "./messages.js";

/** The leader's roster as messages to the other tabs: only rows that became different, and the order only if it did. */
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

  /** The message that turns the roster published last into this one; the first has the whole roster. */
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

  /** The roster published last, for a tab that missed messages. */
  whole(): RosterMessage {
    return this.#message(true, this.#published.rows, keysOf(this.#published.rows));
  }

  #message(isWhole: boolean, rows: readonly PresenceRow[], keys: readonly string[] | undefined): RosterMessage {
    const { hasList, isOffline } = this.#published;
    const changed = rows.map((row) => ({ row, raw: rawRows(row) }));
    const connection = plainConnection(this.#published.connection);
    const [leader, seq, instanceId] = [this.#leader, this.#seq, this.#instanceId];
    return { type: "roster", leader, seq, isWhole, changed, keys, hasList, isOffline, connection, instanceId };
  }
}

/** The findings in a roster that another tab has from the gateway; none where the core cannot be loaded at once. */
export function findingsOf(rows: readonly PresenceRow[]): readonly Finding[] {
  if (rows.length === 0) return [];
  let roster: Roster | undefined;
  try {
    roster = new Roster({ maxRows: 10_000 });
    // At time 0 no row has expired.
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
  /** Whether messages are missing: the whole roster is needed. */
  needsWhole = true;

  constructor(rows: readonly PresenceRow[]) {
    this.#list = rows;
    this.#rows = new Map(rows.map((row) => [row.key, row]));
  }

  /** The tab that leads, as far as is known. */
  get leader(): string | undefined {
    return this.#leader;
  }

  /** Whether messages of the leader are missing, given the number of its last one. */
  isBehind(leader: string, seq: number): boolean {
    return leader !== this.#leader || seq !== this.#seq;
  }

  /** Takes in a message; rows that say the same stay the same objects. Nothing if it does not follow on the last. */
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
      const kept = old && isSame(old, row) ? old : frozen(row);
      this.#rows.set(row.key, kept);
      setRawRows(kept, frozen(raw));
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
