import { isSame } from "./diff.js";
import { ageText, platformLabel } from "./functions.js";
import type { PresenceEntry, PresenceRow, Status } from "./types.js";

/** One row as the core shows it, in the JSON of its lists. */
export interface RowView {
  readonly key: string;
  readonly status: "active" | "idle" | "stale";
  readonly isSelf: boolean;
  readonly ageMs: number;
  readonly ageText: string;
  readonly reasonLabel?: string;
  readonly lastInputMs?: number;
  readonly entry: PresenceEntry;
  /** The rows it is merged from; absent: just the entry. */
  readonly raw?: readonly PresenceEntry[];
}

const STATUS: Readonly<Record<RowView["status"], Status>> = { active: "Active", idle: "Idle", stale: "Stale" };

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
  readonly isOwn?: (view: RowView) => boolean;
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
  const known = new Map(before.map((row) => [row.key, row]));
  const rows = views.map((view) => {
    const row = makeRow(view, isOwn(view));
    const old = known.get(row.key);
    const isCurrent = old && (!isExact || (old.ageMs === row.ageMs && old.lastInputMs === row.lastInputMs));
    return isCurrent && saysTheSame(old, row) && isSame(RAW.get(old), view.raw) ? old : row;
  });
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
export function makeRow(view: RowView, isOwn = false): PresenceRow {
  const { entry, lastInputMs } = view;
  const text = (member: unknown) => (typeof member === "string" && member !== "" ? member : undefined);
  const platform = text(entry.platform);
  const row = Object.freeze({
    key: view.key,
    entry: deepFreeze(entry),
    host: text(entry.host),
    ip: text(entry.ip),
    version: text(entry.version),
    platform,
    deviceFamily: text(entry.deviceFamily),
    modelIdentifier: text(entry.modelIdentifier),
    mode: text(entry.mode),
    reason: text(entry.reason),
    instanceId: text(entry.instanceId),
    deviceId: text(entry.deviceId),
    roles: strings(entry.roles),
    scopes: strings(entry.scopes),
    text: text(entry.text),
    ts: typeof entry.ts === "number" ? entry.ts : 0,
    status: STATUS[view.status],
    ageMs: view.ageMs,
    ageText: view.ageText,
    reasonLabel: view.reasonLabel ?? "",
    platformLabel: platform === undefined ? "" : platformLabel(platform),
    lastInputMs,
    lastInputText: lastInputMs === undefined ? "" : ageText(lastInputMs),
    isSelf: view.isSelf,
    isOwn,
    isConnected: entry.reason !== "disconnect",
  });
  if (view.raw) RAW.set(row, deepFreeze(view.raw));
  return row;
}

function saysTheSame(old: PresenceRow, row: PresenceRow): boolean {
  return (
    old.status === row.status &&
    old.ageText === row.ageText &&
    old.lastInputText === row.lastInputText &&
    old.isSelf === row.isSelf &&
    old.isOwn === row.isOwn &&
    isSame(old.entry, row.entry)
  );
}

const NONE: readonly string[] = Object.freeze([]);

/** Gateways send anything: what is not a list of strings is none. */
function strings(member: unknown): readonly string[] {
  if (!Array.isArray(member)) return NONE;
  if (Object.isFrozen(member) && member.length > 0 && member.every((item) => typeof item === "string")) return member;
  const texts = member.filter((item): item is string => typeof item === "string");
  return texts.length === 0 ? NONE : Object.freeze(texts);
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const name in value) deepFreeze(value[name]);
  return Object.freeze(value);
}
