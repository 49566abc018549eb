import { isSame, MAX_DEPTH } from "./diff.js";
import { wordsOf, type Words } from "./labels.js";
import type { PresenceEntry, PresenceRow, Status } from "./types.js";

/** A changed row from the core's `Mirror::diff_json`. Times are ms since the Unix epoch on the gateway's clock. */
interface CoreRow {
  readonly key: string;
  readonly place: number;
  readonly status: Status;
  readonly isSelf?: true;
  readonly inputAt?: number;
  /** `ts` is always present. */
  readonly entry: PresenceEntry & { readonly ts: number };
  /** The gateway's rows that it is merged from; absent beside an entry if that is the only one. */
  readonly raw?: readonly PresenceEntry[];
}

/** The changes of a roster, from the core. */
export interface RosterChange {
  /** A row that only moved has only its key and its place. */
  readonly changed: readonly (CoreRow | (Pick<CoreRow, "key" | "place"> & { readonly entry?: undefined }))[];
  readonly removed: readonly string[];
  /** Whether the roster is offline now; absent if unchanged. */
  readonly offline?: boolean;
}

/** A row as the core reported it, and as it was displayed last. */
interface KeptRow {
  data: CoreRow;
  isOwn: boolean;
  row: PresenceRow | undefined;
  /** The period during which the words on it do not change. */
  fromMs: number;
  untilMs: number;
}

const RAW = new WeakMap<PresenceRow, readonly PresenceEntry[]>();

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/**
 * Returns the rows of the gateway's list that a row is merged from, newest first: several where a gateway lists an
 * instance once per connection.
 */
export function rawRows(row: PresenceRow): readonly PresenceEntry[] {
  return RAW.get(row) ?? Object.freeze([row.entry]);
}

/** Options of {@link Rows}. */
interface RowsOptions {
  /** Whether a row is that of the client that shows it. @default false for all rows */
  readonly isOwn?: (entry: PresenceEntry) => boolean;
  /** Rows that were displayed before: equal rows keep their identity. */
  readonly before?: readonly PresenceRow[];
  /** @default English */
  readonly words?: Words;
}

/** Sets the result of {@link rawRows} for a row from another tab. */
export function setRawRows(row: PresenceRow, raw: readonly PresenceEntry[]): void {
  RAW.set(row, raw);
}

/** The rows of a roster: applies changes from the core, and returns frozen rows in list order. */
export class Rows {
  readonly #rows = new Map<string, KeptRow>();
  #order: KeptRow[] = [];
  #isSorted = true;
  #shown: readonly PresenceRow[] = Object.freeze([]);
  readonly #isOwn: (entry: PresenceEntry) => boolean;

  /** The rows displayed before, until the first change arrives. */
  #before: readonly PresenceRow[];

  readonly #words: Words;

  constructor({ isOwn = () => false, before = [], words = wordsOf() }: RowsOptions = {}) {
    this.#isOwn = isOwn;
    this.#before = before;
    this.#words = words;
  }

  /** Applies a change. */
  apply({ changed, removed }: RosterChange): void {
    for (const key of removed) this.#rows.delete(key);
    // Stays sorted except for the changed rows, so the next sort is fast.
    if (removed.length > 0) this.#order = this.#order.filter(({ data }) => this.#rows.has(data.key));
    const before = new Map(this.#before.map((row) => [row.key, row]));
    this.#before = [];
    for (const data of changed) {
      const old = this.#rows.get(data.key);
      if (data.entry) {
        const kept = { data, isOwn: this.#isOwn(data.entry), row: undefined, fromMs: 0, untilMs: 0 };
        if (old) Object.assign(old, kept);
        else this.#add(kept, before.get(data.key));
      } else if (old) {
        old.data = { ...old.data, place: data.place };
      }
    }
    this.#isSorted = false;
  }

  /**
   * Returns the rows in list order. A row is the identical object as long as it is unchanged, and so is the list, so
   * that code that compares by identity, such as React, renders only changes. Ages are renewed when their words
   * change, or to the ms if `isExact`.
   */
  list(nowMs: number, isExact = false): readonly PresenceRow[] {
    if (!this.#isSorted) {
      this.#order.sort(inOrder);
      this.#isSorted = true;
    }
    const shown = this.#shown;
    let isSame = this.#order.length === shown.length;
    const rows = this.#order.map((kept, index) => {
      const row = shownAt(kept, nowMs, this.#words, isExact);
      isSame &&= row === shown[index];
      return row;
    });
    if (!isSame) this.#shown = Object.freeze(rows);
    return this.#shown;
  }

  #add(kept: KeptRow, before: PresenceRow | undefined): void {
    if (before && isEqualRow(kept, before)) kept.row = before;
    this.#rows.set(kept.data.key, kept);
    this.#order.push(kept);
  }

  /** Returns the rows with these keys, in list order, with exact ages for that time. */
  some(keys: Iterable<string>, nowMs: number): PresenceRow[] {
    const kept = Array.from(keys, (key) => this.#rows.get(key)).filter((row) => row !== undefined);
    return kept.sort(inOrder).map((row) => shownAt(row, nowMs, this.#words, true));
  }

  /** Returns when age alone changes the words on a displayed row. */
  wordsMs(): number {
    return this.#order.reduce((least, kept) => Math.min(least, kept.untilMs), Number.POSITIVE_INFINITY);
  }
}

/** Whether a row was displayed with the same content, apart from words of age. */
function isEqualRow({ data, isOwn }: KeptRow, row: PresenceRow): boolean {
  const isLike = row.status === data.status && row.isSelf === Boolean(data.isSelf) && row.isOwn === isOwn;
  return isLike && isSame(row.entry, data.entry) && isSame(RAW.get(row), data.raw);
}

/** Orders the gateway's own row first, then by newest `ts`; rows with equal `ts` stay in the gateway's order. */
function inOrder({ data: a }: KeptRow, { data: b }: KeptRow): number {
  return Number(b.isSelf ?? 0) - Number(a.isSelf ?? 0) || b.entry.ts - a.entry.ts || a.place - b.place;
}

function shownAt(kept: KeptRow, nowMs: number, words: Words, isExact: boolean): PresenceRow {
  const old = kept.row;
  const { entry, inputAt } = kept.data;
  const ageMs = Math.max(nowMs - entry.ts, 0);
  const lastInputMs = inputAt === undefined ? undefined : Math.max(nowMs - inputAt, 0);
  const isCurrent = isExact
    ? old?.ageMs === ageMs && old.lastInputMs === lastInputMs
    : nowMs >= kept.fromMs && nowMs < kept.untilMs;
  if (old && isCurrent) return old;
  kept.fromMs = nowMs;
  kept.untilMs = Math.min(wordsEnd(nowMs, ageMs), wordsEnd(nowMs, lastInputMs ?? ageMs));
  // The clock may have been set, so the words can be unchanged.
  const isSaid = old?.ageText === words.ageText(ageMs) && old.lastInputText === inputText(lastInputMs, words);
  if (old && isSaid && !isExact) return old;
  kept.row = makeRow(kept, ageMs, lastInputMs, words);
  return kept.row;
}

function inputText(lastInputMs: number | undefined, words: Words): string {
  return lastInputMs === undefined ? "" : words.ageText(lastInputMs);
}

/** Returns when the words for an age change: at whole minutes, and above an hour at whole hours. */
function wordsEnd(nowMs: number, ageMs: number): number {
  const unit = ageMs < HOUR_MS ? MINUTE_MS : HOUR_MS;
  return nowMs + unit - (ageMs % unit);
}

function makeRow({ data, isOwn }: KeptRow, ageMs: number, lastInputMs: number | undefined, words: Words): PresenceRow {
  const entry = frozen(data.entry);
  const { host, ip, version, deviceFamily, modelIdentifier, mode, instanceId, deviceId } = entry;
  const platform = text(entry.platform);
  const reason = text(entry.reason);
  const row = Object.freeze({
    key: data.key,
    entry,
    host: text(host),
    ip: text(ip),
    version: text(version),
    platform,
    deviceFamily: text(deviceFamily),
    modelIdentifier: text(modelIdentifier),
    mode: text(mode),
    reason,
    instanceId: text(instanceId),
    deviceId: text(deviceId),
    roles: strings(entry.roles),
    scopes: strings(entry.scopes),
    text: text(entry.text),
    ts: entry.ts,
    status: data.status,
    ageMs,
    ageText: words.ageText(ageMs),
    reasonLabel: reason === undefined ? "" : words.reasonLabel(reason),
    platformLabel: platform === undefined ? "" : words.platformLabel(platform),
    lastInputMs,
    lastInputText: inputText(lastInputMs, words),
    isSelf: data.isSelf === true,
    isOwn,
    isConnected: data.status !== "Left",
  });
  if (data.raw) RAW.set(row, frozen(data.raw));
  return row;
}

function text(member: unknown): string | undefined {
  return typeof member === "string" && member !== "" ? member : undefined;
}
const NONE: readonly string[] = Object.freeze([]);

/** Returns the strings of a list, else an empty list: gateways may send anything. A list of only strings is returned itself. */
function strings(member: unknown): readonly string[] {
  if (!Array.isArray(member) || member.length === 0) return NONE;
  for (const item of member) if (typeof item !== "string") return someStrings(member);
  return member;
}

function someStrings(list: readonly unknown[]): readonly string[] {
  const texts = list.filter((item) => typeof item === "string");
  return texts.length === 0 ? NONE : Object.freeze(texts);
}

/** Freezes a value down to {@link MAX_DEPTH}. A frozen value is assumed to be frozen to that depth. */
export function frozen<T extends object>(value: T): T {
  return Object.isFrozen(value) ? value : freeze(value);
}

/** Separate loops for objects and lists: engines optimize each, and are many times slower at a mixed one. */
function freeze<T extends object>(value: T, depth = 0): T {
  for (const name in value) {
    const inner = value[name];
    if (typeof inner === "object" && inner !== null) freezeInner(inner, depth + 1);
  }
  return Object.freeze(value);
}

function freezeInner(inner: object, depth: number): void {
  if (depth > MAX_DEPTH) return;
  if (!Array.isArray(inner)) return void freeze(inner, depth);
  for (const item of inner) if (typeof item === "object" && item !== null) freezeInner(item, depth + 1);
  Object.freeze(inner);
}
