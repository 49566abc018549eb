import { isSame } from "./diff.js";
import { wordsOf, type Words } from "./labels.js";
import type { PresenceEntry, PresenceRow, Status } from "./types.js";

/** What the core says of a row; see its `Mirror::diff_json`. Times are ms since the Unix epoch on the gateway's clock. */
interface ToldRow {
  readonly key: string;
  readonly place: number;
  readonly status: Status;
  readonly isSelf: boolean;
  readonly ts: number;
  readonly inputAt?: number;
  /** Absent: as it was. */
  readonly entry?: PresenceEntry;
  /** The rows it is merged from; absent beside an entry: just that. */
  readonly raw?: readonly PresenceEntry[];
}

/** What changed in a roster, as the core says it. */
export interface RosterChange {
  readonly changed: readonly ToldRow[];
  readonly removed: readonly string[];
  /** Whether the roster is offline now; absent: as it was. */
  readonly offline?: boolean;
}

/** A row as it was told, and as it was shown last. */
interface KeptRow {
  told: ToldRow & { readonly entry: PresenceEntry };
  isOwn: boolean;
  row: PresenceRow | undefined;
  /** The moments at which the words on it are the same. */
  fromMs: number;
  untilMs: number;
}

const RAW = new WeakMap<PresenceRow, readonly PresenceEntry[]>();

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/**
 * The gateway's own rows behind a row: more than one where a gateway lists an instance once per
 * connection. Newest first.
 */
export function rawRows(row: PresenceRow): readonly PresenceEntry[] {
  return RAW.get(row) ?? Object.freeze([row.entry]);
}

/** What {@link Rows} are made from. */
interface RowsOptions {
  /** Says whether a row is that of the client that shows it. @default none is */
  readonly isOwn?: (entry: PresenceEntry) => boolean;
  /** Rows that were shown by another one: those that say the same stay the same objects. */
  readonly before?: readonly PresenceRow[];
  /** @default English */
  readonly words?: Words;
}

/** Sets what {@link rawRows} returns for a row that another tab made. */
export function setRawRows(row: PresenceRow, raw: readonly PresenceEntry[]): void {
  RAW.set(row, raw);
}

/** The rows of a roster: changes from the core go in, frozen rows in list order come out. */
export class Rows {
  readonly #rows = new Map<string, KeptRow>();
  #order: KeptRow[] = [];
  #isSorted = true;
  #shown: readonly PresenceRow[] = Object.freeze([]);
  readonly #isOwn: (entry: PresenceEntry) => boolean;

  /** Rows that were shown before this began, until something is known. */
  #before: readonly PresenceRow[];

  readonly #words: Words;

  constructor({ isOwn = () => false, before = [], words = wordsOf() }: RowsOptions = {}) {
    this.#isOwn = isOwn;
    this.#before = before;
    this.#words = words;
  }

  /** Takes in what changed. */
  apply({ changed, removed }: RosterChange): void {
    for (const key of removed) this.#rows.delete(key);
    // Sorted as it was, but for what changed: that is quick to sort again.
    if (removed.length > 0) this.#order = this.#order.filter(({ told }) => this.#rows.has(told.key));
    const before = new Map(this.#before.map((row) => [row.key, row]));
    this.#before = [];
    for (const told of changed) {
      const old = this.#rows.get(told.key);
      if (told.entry) {
        const kept = { told: { ...told, entry: told.entry }, isOwn: this.#isOwn(told.entry), row: undefined, fromMs: 0, untilMs: 0 };
        if (old) Object.assign(old, kept);
        else this.#add(kept, before.get(told.key));
      } else if (old) {
        old.told = { ...old.told, ...told, entry: old.told.entry };
      }
    }
    this.#isSorted = false;
  }

  /**
   * The rows in list order. Whoever compares by identity, as React does, draws only what changed: a row is the same
   * object while nothing of it changed, and so is the list. Ages change with their words, or, if `isExact`, to the ms.
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
    if (before && saysTheSame(kept, before)) kept.row = before;
    this.#rows.set(kept.told.key, kept);
    this.#order.push(kept);
  }

  /** Those with these keys that are there, in list order, exactly as they are at that time. */
  some(keys: Iterable<string>, nowMs: number): PresenceRow[] {
    const kept = Array.from(keys, (key) => this.#rows.get(key)).filter((row) => row !== undefined);
    return kept.sort(inOrder).map((row) => shownAt(row, nowMs, this.#words, true));
  }

  /** When the words on a row that was listed change by age alone. */
  wordsMs(): number {
    return this.#order.reduce((least, kept) => Math.min(least, kept.untilMs), Number.POSITIVE_INFINITY);
  }
}

/** Whether a row was shown like this, but for words of age. */
function saysTheSame({ told, isOwn }: KeptRow, row: PresenceRow): boolean {
  const isLike = row.status === told.status && row.isSelf === told.isSelf && row.isOwn === isOwn;
  return isLike && isSame(row.entry, told.entry) && isSame(RAW.get(row), told.raw);
}

/** The gateway itself, then the freshest first; of two as fresh the one that the gateway lists first. */
function inOrder({ told: a }: KeptRow, { told: b }: KeptRow): number {
  return Number(b.isSelf) - Number(a.isSelf) || (a.isSelf ? 0 : b.ts - a.ts) || a.place - b.place;
}

function shownAt(kept: KeptRow, nowMs: number, words: Words, isExact: boolean): PresenceRow {
  const old = kept.row;
  const { ts, inputAt } = kept.told;
  const ageMs = Math.max(nowMs - ts, 0);
  const lastInputMs = inputAt === undefined ? undefined : Math.max(nowMs - inputAt, 0);
  const isCurrent = isExact
    ? old?.ageMs === ageMs && old.lastInputMs === lastInputMs
    : nowMs >= kept.fromMs && nowMs < kept.untilMs;
  if (old && isCurrent) return old;
  kept.fromMs = nowMs;
  kept.untilMs = Math.min(wordsEnd(nowMs, ageMs), wordsEnd(nowMs, lastInputMs ?? ageMs));
  // The clock may have been set: the words can be the same.
  const isSaid = old?.ageText === words.ageText(ageMs) && old.lastInputText === inputText(lastInputMs, words);
  if (old && isSaid && !isExact) return old;
  kept.row = makeRow(kept, ageMs, lastInputMs, words);
  return kept.row;
}

function inputText(lastInputMs: number | undefined, words: Words): string {
  return lastInputMs === undefined ? "" : words.ageText(lastInputMs);
}

/** When the words for an age change. They do at whole minutes, and from an hour on at whole hours. */
function wordsEnd(nowMs: number, ageMs: number): number {
  const unit = ageMs < HOUR_MS ? MINUTE_MS : HOUR_MS;
  return nowMs + unit - (ageMs % unit);
}

function makeRow({ told, isOwn }: KeptRow, ageMs: number, lastInputMs: number | undefined, words: Words): PresenceRow {
  const entry = frozen(told.entry);
  const { host, ip, version, deviceFamily, modelIdentifier, mode, instanceId, deviceId } = entry;
  const platform = text(entry.platform);
  const reason = text(entry.reason);
  const row = Object.freeze({
    key: told.key,
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
    ts: typeof entry.ts === "number" ? entry.ts : 0,
    status: told.status,
    ageMs,
    ageText: words.ageText(ageMs),
    reasonLabel: reason === undefined ? "" : words.reasonLabel(reason),
    platformLabel: platform === undefined ? "" : words.platformLabel(platform),
    lastInputMs,
    lastInputText: inputText(lastInputMs, words),
    isSelf: told.isSelf,
    isOwn,
    isConnected: told.status !== "Left",
  });
  if (told.raw) RAW.set(row, frozen(told.raw));
  return row;
}

function text(member: unknown): string | undefined {
  return typeof member === "string" && member !== "" ? member : undefined;
}
const NONE: readonly string[] = Object.freeze([]);

/** Gateways send anything: what is not a list of strings is none. A list of nothing else is given back, frozen as it is. */
function strings(member: unknown): readonly string[] {
  if (!Array.isArray(member) || member.length === 0) return NONE;
  for (const item of member) if (typeof item !== "string") return someStrings(member);
  return member;
}

function someStrings(list: readonly unknown[]): readonly string[] {
  const texts = list.filter((item) => typeof item === "string");
  return texts.length === 0 ? NONE : Object.freeze(texts);
}

/** Frozen, with all that is in it. What is frozen already is so all through. */
export function frozen<T extends object>(value: T): T {
  return Object.isFrozen(value) ? value : freeze(value);
}

/** Objects and lists by loops of their own: engines are quick at each, and many times slower at both in one. */
function freeze<T extends object>(value: T): T {
  for (const name in value) {
    const inner = value[name];
    if (typeof inner === "object" && inner !== null) freezeInner(inner);
  }
  return Object.freeze(value);
}

function freezeInner(inner: object): void {
  if (!Array.isArray(inner)) return void freeze(inner);
  for (const item of inner) if (typeof item === "object" && item !== null) freezeInner(item);
  Object.freeze(inner);
}
