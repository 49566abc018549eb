import { systemClock } from "./clock.js";
import { diffRows, type RosterDiff } from "./diff.js";
import { DISPOSE } from "./disposable.js";
import { asPresenceError, freed } from "./errors.js";
import { checkRosterOptions } from "./known-options.js";
import { wordsOf } from "./labels.js";
import { core } from "./load/core.js";
import { readExplanation, readFindings } from "./machine.js";
import type { Explanation } from "./methods.js";
import type { RosterOptions } from "./options.js";
import { Rows, type RosterChange } from "./rows.js";
import type { Finding, PresenceEntry, PresenceRow, Status } from "./types.js";

/** Any form of a presence list that {@link Roster.apply} accepts. */
export type PresenceList = string | readonly PresenceEntry[] | object;

type WasmRoster = InstanceType<ReturnType<typeof core>["Roster"]>;

/**
 * A roster without a connection, for pasted lists or frames from other sources. It has one row per instance, with the
 * gateway's rules for TTL and cap.
 *
 * ```ts
 * const roster = new Roster();
 * roster.apply('[{"host":"studio","reason":"connect","ts":1800000000000}]', 1_800_000_060_000);
 * roster.list(1_800_000_060_000)[0].ageText; // "1 minute ago"
 * ```
 *
 * Times are ms since the Unix epoch on the clock of the list's gateway, by default the platform's own.
 */
export class Roster {
  #wasm: WasmRoster | undefined;
  readonly #rows: Rows;
  /** Keys of rows that changed since the last {@link diff}. */
  readonly #changed = new Set<string>();
  /** The rows that the last {@link diff} returned. */
  readonly #reported = new Map<string, PresenceRow>();

  /**
   * @throws {PresenceError} `NOT_READY`: `await ready()` first. `INVALID_ARGUMENT` for an invalid option; the message
   * names it.
   */
  constructor(options: RosterOptions = {}) {
    checkRosterOptions(options);
    const { labels, ...others } = options;
    this.#rows = new Rows({ words: wordsOf(labels) });
    const { Roster } = core();
    try {
      this.#wasm = new Roster(JSON.stringify(others));
    } catch (error) {
      throw asPresenceError(error);
    }
  }

  /**
   * Applies any object or JSON text of a gateway with a presence list: the list itself, a `presence` event,
   * `hello-ok`, the response to `system-presence`, or a payload of these. It replaces the roster. A `presence.delta`
   * event changes the roster.
   *
   * @returns `false` if a delta does not follow the current version: a whole list is required.
   * @throws {PresenceError} `INVALID_ARGUMENT` if it contains no list; `FREED`.
   */
  apply(list: PresenceList, now: number = systemClock.wallMs()): boolean {
    const wasm = this.#alive();
    try {
      const text = typeof list === "string" ? list : JSON.stringify(list);
      return wasm.apply(text, now);
    } catch (error) {
      throw asPresenceError(error);
    }
  }

  /** Returns the rows at that time, newest first after the gateway's own. Expired rows are removed. */
  list(now: number = systemClock.wallMs()): readonly PresenceRow[] {
    this.#settle(now);
    return this.#rows.list(now, true);
  }

  /** Returns the status of the row with that key at that time; `undefined` if there is no such row. */
  status(key: string, now: number = systemClock.wallMs()): Status | undefined {
    return this.list(now).find((row) => row.key === key)?.status;
  }

  /**
   * Returns the difference since the last call: added, removed and changed rows. The cost depends on the number of
   * changes only.
   */
  diff(now: number = systemClock.wallMs()): RosterDiff {
    this.#settle(now);
    const before: PresenceRow[] = [];
    for (const key of this.#changed) {
      const old = this.#reported.get(key);
      if (old) before.push(old);
      this.#reported.delete(key);
    }
    const after = this.#rows.some(this.#changed, now);
    for (const row of after) this.#reported.set(row.key, row);
    this.#changed.clear();
    return diffRows(before, after);
  }

  /** Returns the findings about the list, most often about several rows of one client, each with its fix. */
  findings(): readonly Finding[] {
    const wasm = this.#alive();
    return readFindings(wasm.findings(), wasm.entries());
  }

  /** Explains the row with that key from the list; `undefined` if there is no such row. */
  explain(key: string, now: number = systemClock.wallMs()): Explanation | undefined {
    this.#settle(now);
    return readExplanation(this.#alive().explain(key, now));
  }

  /** Returns the list as applied, without expired rows. */
  entries(): readonly PresenceEntry[] {
    return JSON.parse(this.#alive().entries()) as PresenceEntry[];
  }

  /** Returns when the next row changes its status or expires, in ms since the Unix epoch; `undefined` for never. */
  nextChange(): number | undefined {
    return this.#alive().nextChange();
  }

  /** Number of rows. */
  get size(): number {
    return this.#alive().size();
  }

  /** Frees the core's memory. A second call does nothing. */
  free(): void {
    this.#wasm?.free();
    this.#wasm = undefined;
  }

  [DISPOSE](): void {
    this.free();
  }

  /** Advances the rows to that time. */
  #settle(now: number): void {
    const wasm = this.#alive();
    wasm.settle(now);
    const json = wasm.takeChange();
    if (json === undefined) return;
    const change = JSON.parse(json) as RosterChange;
    this.#rows.apply(change);
    for (const key of change.removed) {
      // A row that was added and removed between two calls is not reported; only returned rows and those in the list
      // are stored.
      if (this.#reported.has(key)) this.#changed.add(key);
      else this.#changed.delete(key);
    }
    for (const { key } of change.changed) this.#changed.add(key);
  }

  #alive(): WasmRoster {
    if (!this.#wasm) throw freed("roster");
    return this.#wasm;
  }
}
