import { isSame } from "./diff.js";
import { ageText, platformLabel, reasonLabel } from "./functions.js";
import type { RowView } from "./row-book.js";
import type { PresenceEntry, PresenceRow } from "./types.js";

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

/** How {@link renewRows} makes rows. */
export interface RowsOptions {
  /** Whether a row is that of the client that shows it. */
  readonly isOwn?: (entry: PresenceEntry) => boolean;
  /** Whether ages count to the ms; else a row is kept until its words change. */
  readonly isExact?: boolean;
}

/**
 * Makes the rows of a list from what the core shows, and takes those of the list before that say the
 * same: whoever compares by identity, as React does, draws only what changed.
 */
export function renewRows(
  before: readonly PresenceRow[],
  views: readonly RowView[],
  { isOwn = () => false, isExact = false }: RowsOptions = {},
): readonly PresenceRow[] {
  const known = new Map<string, PresenceRow>();
  for (const row of before) known.set(row.key, row);
  const rows: PresenceRow[] = [];
  for (const view of views) {
    const old = known.get(view.told.key);
    const isOwnRow = isOwn(view.told.entry);
    rows.push(old && old.isOwn === isOwnRow && saysTheSame(old, view, isExact) ? old : makeRow(view, isOwnRow));
  }
  const unchanged = rows.length === before.length && rows.every((row, index) => row === before[index]);
  return unchanged ? before : Object.freeze(rows);
}

/**
 * In how many ms the words of a row change by age alone. Ages read differently at whole minutes, and
 * from an hour on at whole hours.
 */
export function untilWordsChange({ ageMs, lastInputMs = ageMs }: RowView): number {
  const untilNext = (age: number) => {
    const unit = age < HOUR_MS ? MINUTE_MS : HOUR_MS;
    return unit - (age % unit);
  };
  return Math.min(untilNext(ageMs), untilNext(lastInputMs));
}

/** One row as it is shown. */
export function makeRow({ told, status, isSelf, ageMs, lastInputMs }: RowView, isOwn = false): PresenceRow {
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
    status,
    ageMs,
    ageText: ageText(ageMs),
    reasonLabel: reason === undefined ? "" : reasonLabel(reason),
    platformLabel: platform === undefined ? "" : platformLabel(platform),
    lastInputMs,
    lastInputText: lastInputMs === undefined ? "" : ageText(lastInputMs),
    isSelf,
    isOwn,
    isConnected: status !== "Left",
  });
  if (told.raw) RAW.set(row, frozen(told.raw));
  return row;
}

function text(member: unknown): string | undefined {
  return typeof member === "string" && member !== "" ? member : undefined;
}

function saysTheSame(old: PresenceRow, { told, status, isSelf, ageMs, lastInputMs }: RowView, isExact: boolean): boolean {
  const isCurrent = isExact
    ? old.ageMs === ageMs && old.lastInputMs === lastInputMs
    : old.ageText === ageText(ageMs) && old.lastInputText === (lastInputMs === undefined ? "" : ageText(lastInputMs));
  if (!isCurrent || old.status !== status || old.isSelf !== isSelf) return false;
  const raw = RAW.get(old);
  if (!isSame(old.entry, told.entry) || !isSame(raw, told.raw)) return false;
  // So that they need not be compared again.
  told.entry = old.entry;
  told.raw = raw;
  return true;
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
function frozen<T extends object>(value: T): T {
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
