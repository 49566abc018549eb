import { systemClock } from "./clock.js";
import { diffRows, type RosterDiff } from "./diff.js";
import { DISPOSE } from "./disposable.js";
import { asPresenceError, freed } from "./errors.js";
import type { Thresholds } from "./functions.js";
import { checkRosterOptions } from "./known-options.js";
import { wordsOf, type Labels } from "./labels.js";
import { core } from "./load/core.js";
import { readExplanation, readFindings } from "./machine.js";
import type { Explanation } from "./methods.js";
import { Rows, type RosterChange } from "./rows.js";
import type { Finding, PresenceEntry, PresenceRow, Status } from "./types.js";

/** What a roster is made from; everything has the gateway's default. */
export interface RosterOptions {
  /** How long a row lives after its last proof of life, in ms. @default 300000 */
  ttlMs?: number | undefined;
  /** Most rows, the gateway's own included. @default 200 */
  maxRows?: number | undefined;
  /** The ages at which statuses end. */
  thresholds?: Thresholds | undefined;
  /** The words on rows, for other languages. @default English */
  labels?: Labels | undefined;
}

/** Anything that holds a presence list: see {@link Roster.apply}. */
export type PresenceList = string | readonly PresenceEntry[] | object;

type WasmRoster = InstanceType<ReturnType<typeof core>["Roster"]>;

/**
 * A roster without a connection: for a list that somebody pasted, or frames that come by other ways. One row per
 * instance, with TTL and cap as a gateway applies them.
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
  /** Rows that changed since {@link diff} was asked last. */
  readonly #changed = new Set<string>();
  /** The rows as {@link diff} returned them last. */
  readonly #reported = new Map<string, PresenceRow>();

  /**
   * @throws {PresenceError} `NOT_READY`: `await ready()` first. `INVALID_ARGUMENT` names the bad option.
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
   * Takes in anything a gateway sends that holds a presence list, as an object or as JSON text: the list itself, a
   * `presence` event, `hello-ok`, the answer to `system-presence`, or a payload of these. It replaces what was there.
   * Or a `presence.delta` event, which changes it.
   *
   * @returns `false` if a delta does not follow on what is there: a whole list is needed.
   * @throws {PresenceError} `INVALID_ARGUMENT` if there is no list in it, `FREED`.
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

  /** The rows as they are at that time, newest first below the gateway's own. Rows whose time is over are gone. */
  list(now: number = systemClock.wallMs()): readonly PresenceRow[] {
    this.#settle(now);
    return this.#rows.list(now, true);
  }

  /** The status of the row with that key at that time; nothing: there is no such row. */
  status(key: string, now: number = systemClock.wallMs()): Status | undefined {
    return this.list(now).find((row) => row.key === key)?.status;
  }

  /** Who came, who went and who says something else since this was last asked. Costs what changed, not what is there. */
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

  /** Which rows of the list look like one client, and how to mend it. */
  findings(): readonly Finding[] {
    const wasm = this.#alive();
    return readFindings(wasm.findings(), wasm.entries());
  }

  /** Why the row with that key is as it is, as far as the list shows; nothing: there is no such row. */
  explain(key: string, now: number = systemClock.wallMs()): Explanation | undefined {
    this.#settle(now);
    return readExplanation(this.#alive().explain(key, now));
  }

  /** The list as it was applied, but for what is gone. */
  entries(): readonly PresenceEntry[] {
    return JSON.parse(this.#alive().entries()) as PresenceEntry[];
  }

  /** When a status changes or a row goes next, in ms since the Unix epoch; nothing: never. */
  nextChange(): number | undefined {
    return this.#alive().nextChange();
  }

  /** Number of rows. */
  get size(): number {
    return this.#alive().size();
  }

  /** Gives the memory of the core back. Twice does nothing. */
  free(): void {
    this.#wasm?.free();
    this.#wasm = undefined;
  }

  [DISPOSE](): void {
    this.free();
  }

  /** Brings the rows to that time. */
  #settle(now: number): void {
    const wasm = this.#alive();
    wasm.settle(now);
    const json = wasm.takeChange();
    if (json === undefined) return;
    const change = JSON.parse(json) as RosterChange;
    this.#rows.apply(change);
    for (const key of change.removed) {
      // A row that came and went is no news: what is kept is bounded by the rows that were returned and those in the list.
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
