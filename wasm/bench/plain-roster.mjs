// The rules of a roster in plain JavaScript, as a baseline for the WASM: one row per instance, merged from the gateway's
// raw rows, deltas, TTL and cap, statuses, labels, order. It is written with objects and maps, without serialisation.
// It computes digests only if the frames state them; the core always does.

import { digestText, rowDigest } from "./digest.mjs";

const TTL_MS = 300_000;
const ACTIVE_MS = 120_000;
const IDLE_MS = 300_000;
const UNKNOWN_LAST_INPUT = 2_592_000;
const MOST_RAWS = 10_000;
const NONE = [];

const REASONS = new Map([
  ["self", "Self"],
  ["connect", "Connect"],
  ["disconnect", "Disconnect"],
  ["node-connected", "Node connect"],
  ["node-disconnected", "Node disconnect"],
  ["launch", "Launch"],
  ["periodic", "Heartbeat"],
  ["instances-refresh", "Instances"],
  ["seq gap", "Resync"],
]);
const PLATFORMS = new Map([["macos", "macOS"], ["ios", "iOS"], ["ipados", "iPadOS"], ["tvos", "tvOS"], ["watchos", "watchOS"]]);

/** A roster of at most `maxRows` rows, as a gateway keeps it. */
export class PlainRoster {
  #maxRows;
  #version;
  /** The digest of the rows, if the frames state one. */
  #digest;
  /** Raw rows as the gateway listed them, by their key on the wire, or by their index if it sends no keys. */
  #raws = new Map();
  /** One row per instance: { key, members, entry, ts }. */
  #rows = new Map();
  #places = 0;

  constructor({ maxRows = 200 } = {}) {
    this.#maxRows = maxRows;
  }

  /** Applies a frame with a list or a delta. Returns the keys of changed rows, or undefined after a gap. */
  apply(text, now) {
    const frame = JSON.parse(text);
    const payload = frame.payload ?? frame;
    const changed = payload.upserts ? this.#applyDelta(payload, now) : this.#applyList(payload, now);
    if (changed) this.#bound(now);
    return changed;
  }

  #applyList({ presence, keys: givenKeys, version, digest }, now) {
    const isKeyed =
      Array.isArray(givenKeys) &&
      givenKeys.length === presence.length &&
      givenKeys.every((key) => typeof key === "string") &&
      presence.every(isObject);
    const keys = isKeyed ? givenKeys : undefined;
    const before = this.#rows;
    this.#version = isKeyed ? version : undefined;
    this.#digest = keys && digest !== undefined ? 0n : undefined;
    this.#raws = new Map();
    this.#rows = new Map();
    this.#places = 0;
    presence.forEach((entry, index) => {
      if (isObject(entry) && this.#places < MOST_RAWS) this.#add(keys?.[index] ?? index, entry, keys?.[index], now);
    });
    for (const row of this.#rows.values()) merge(row);
    if (this.#digest !== undefined && digestText(this.#digest) !== digest) this.#digest = undefined;
    return new Set([...before.keys(), ...this.#rows.keys()]);
  }

  #applyDelta({ from, to, upserts, removals, touched, digest }, now) {
    if (this.#version === undefined || this.#version < from) return undefined;
    const changed = new Set();
    if (this.#version >= to && !(from === to && this.#version === to)) return changed;
    if (from !== to) {
      for (const { key } of removals) this.#remove(key, changed);
      for (const { key, entry } of upserts) {
        if (typeof key !== "string" || !isObject(entry)) return undefined;
        const place = this.#remove(key, changed);
        changed.add(this.#add(key, entry, key, now, place).key);
      }
    }
    for (const [key, ts] of touched) {
      const raw = this.#raws.get(key);
      if (!raw) continue;
      raw.ts = integer(ts);
      // Count from the reported value: otherwise the rounding errors of all touches would add up.
      if (raw.reported) raw.input = raw.reported.input + Math.max(Math.floor((raw.ts - raw.reported.ts) / 1_000), 0);
      changed.add(raw.row.key);
    }
    this.#version = to;
    for (const key of changed) {
      const row = this.#rows.get(key);
      if (!row) continue;
      if (row.members.length === 0) this.#rows.delete(key);
      else merge(row);
    }
    if (this.#digest !== undefined && digest !== undefined && digestText(this.#digest) !== digest) return undefined;
    return changed;
  }

  #add(id, entry, wireKey, now, place = this.#places++) {
    const key = this.#keyOf(entry, wireKey);
    let row = this.#rows.get(key);
    if (!row) this.#rows.set(key, (row = { key, members: [], entry, ts: 0 }));
    // A row without a time counts as received now.
    const ts = integer(entry.ts) ?? now;
    const input = integer(entry.lastInputSeconds);
    const reported = input === undefined ? undefined : { ts, input };
    const raw = { entry, ts, input, reported, place, row, digest: this.#digest === undefined ? 0n : rowDigest(wireKey, entry) };
    if (this.#digest !== undefined) this.#digest += raw.digest;
    row.members.push(raw);
    row.members.sort((a, b) => a.place - b.place);
    this.#raws.set(id, raw);
    return row;
  }

  #remove(id, changed) {
    const raw = this.#raws.get(id);
    if (!raw) return undefined;
    this.#raws.delete(id);
    if (this.#digest !== undefined) this.#digest -= raw.digest;
    raw.row.members.splice(raw.row.members.indexOf(raw), 1);
    changed.add(raw.row.key);
    return raw.place;
  }

  #keyOf(entry, wireKey) {
    const isSelf = wireKey === undefined ? isGateway(entry) && !this.#rows.has("self") : wireKey === "SELF";
    if (isSelf) return "self";
    const instance = normalize(entry.instanceId);
    const device = normalize(entry.deviceId);
    if (instance && instance !== device) return `instance:${instance}`;
    if (device) return `device:${device}`;
    if (wireKey !== undefined) return `row:${wireKey}`;
    const name = normalize(entry.host) ?? normalize(entry.ip) ?? normalize(text(entry.text)?.trim().slice(0, 64)) ?? "";
    let number = 1;
    while (this.#rows.has(`row:${name}#${number}`)) number += 1;
    return `row:${name}#${number}`;
  }

  /** Removes expired rows, and the oldest rows above the cap. */
  #bound(now) {
    for (const row of this.#rows.values()) if (row.key !== "self" && now - row.ts > TTL_MS) this.#drop(row);
    const excess = this.#rows.size - this.#maxRows;
    if (excess <= 0) return;
    const others = [...this.#rows.values()].filter(({ key }) => key !== "self").sort((a, b) => a.ts - b.ts);
    for (const row of others.slice(0, excess)) this.#drop(row);
  }

  #drop(row) {
    this.#rows.delete(row.key);
    for (const [id, raw] of this.#raws) if (raw.row === row) this.#raws.delete(id);
  }

  /** Returns all rows at this time, the gateway's own first, then newest first. */
  list(now) {
    return [...this.#rows.values()]
      .sort((a, b) => (b.key === "self") - (a.key === "self") || b.ts - a.ts || a.members[0].place - b.members[0].place)
      .map((row) => view(row, now));
  }

  /** Returns one row at this time. */
  row(key, now) {
    const row = this.#rows.get(key);
    return row && view(row, now);
  }
}

function isGateway({ mode, reason, text }) {
  if (typeof mode === "string" && typeof reason === "string") return mode.trim() === "gateway" && reason.trim() === "self";
  return typeof text === "string" && text.trimStart().startsWith("Gateway:");
}

function normalize(id) {
  return typeof id === "string" ? id.trim().toLowerCase() || undefined : undefined;
}

/** Gateways may send anything: members of a wrong type count as missing. */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(member) {
  return typeof member === "string" && member !== "" ? member : undefined;
}

function strings(member) {
  if (!Array.isArray(member)) return NONE;
  return member.every((item) => typeof item === "string") ? member : member.filter((item) => typeof item === "string");
}

function integer(member) {
  return typeof member === "number" ? Math.min(Math.max(Math.floor(member), 0), Number.MAX_SAFE_INTEGER) : undefined;
}

/** Merges raw rows: those that are not `disconnect` come first, newest first; the others fill missing members. */
function merge(row) {
  const { members } = row;
  const order =
    members.length === 1 ? members : [...members].sort((a, b) => isOver(a.entry) - isOver(b.entry) || b.ts - a.ts);
  row.ts = Math.max(...members.map(({ ts }) => ts));
  const entry = { ...order[0].entry };
  row.hasLeft = members.every(({ entry }) => isOver(entry));
  for (const { entry: other } of order.slice(1)) {
    const givesReason = row.hasLeft || !isOver(other);
    for (const name in other) if (givesReason || name !== "reason") entry[name] ??= other[name];
  }
  entry.ts = row.ts;
  const known = order.find(({ input }) => input !== undefined);
  row.input = undefined;
  if (known && known.input !== UNKNOWN_LAST_INPUT) row.input = known.input + Math.floor((row.ts - known.ts) / 1_000);
  if (row.input !== undefined) entry.lastInputSeconds = row.input;
  else if ("lastInputSeconds" in entry) delete entry.lastInputSeconds;
  const live = members.filter(({ entry }) => !isOver(entry)).sort((a, b) => a.ts - b.ts);
  if (members.length > 1 && live.length > 0) {
    setMoment(entry, live, "onlineSince", Math.min);
    setMoment(entry, live, "lastActivityAt", Math.max);
    for (const name of ["roles", "scopes"]) {
      const union = new Set(live.flatMap(({ entry }) => (Array.isArray(entry[name]) ? entry[name] : NONE)));
      if (union.size > 0) entry[name] = [...union];
      else delete entry[name];
    }
  }
  row.entry = entry;
}

function setMoment(entry, live, name, pick) {
  const moments = live.map(({ entry }) => integer(entry[name])).filter((moment) => moment !== undefined);
  if (moments.length > 0) entry[name] = pick(...moments);
  else delete entry[name];
}

const isOver = (entry) => Number(entry.reason === "disconnect");

function view({ key, entry, ts, input, hasLeft }, now) {
  const ageMs = Math.max(now - ts, 0);
  const lastInputMs = input === undefined ? undefined : Math.max(now - Math.max(ts - input * 1_000, 0), 0);
  const platform = text(entry.platform);
  const reason = text(entry.reason);
  return {
    key,
    entry,
    host: text(entry.host),
    ip: text(entry.ip),
    version: text(entry.version),
    platform,
    deviceFamily: text(entry.deviceFamily),
    modelIdentifier: text(entry.modelIdentifier),
    mode: text(entry.mode),
    reason,
    instanceId: text(entry.instanceId),
    deviceId: text(entry.deviceId),
    roles: strings(entry.roles),
    scopes: strings(entry.scopes),
    text: text(entry.text),
    ts,
    status: hasLeft ? "Left" : ageMs <= ACTIVE_MS ? "Active" : ageMs <= IDLE_MS ? "Idle" : "Stale",
    ageMs,
    ageText: ageText(ageMs),
    reasonLabel: reason === undefined ? "" : (REASONS.get(reason) ?? reason),
    platformLabel: platform === undefined ? "" : platformLabel(platform),
    lastInputMs,
    lastInputText: lastInputMs === undefined ? "" : ageText(lastInputMs),
    isSelf: key === "self",
    isOwn: false,
    isConnected: !hasLeft,
  };
}

function ageText(ms) {
  const minutes = Math.floor(ms / 60_000);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (minutes === 0) return "just now";
  if (minutes === 1) return "1 minute ago";
  if (hours === 0) return `${minutes}m ago`;
  if (hours === 1) return "1 hour ago";
  if (days === 0) return `${hours}h ago`;
  return days === 1 ? "yesterday" : `${days}d ago`;
}

function platformLabel(platform) {
  const [, word, version] = /^(\S*)\s*([^]*)$/.exec(platform.trim());
  const name = PLATFORMS.get(word.toLowerCase()) ?? word.charAt(0).toUpperCase() + word.slice(1);
  return version === "" ? name : `${name} ${version.split(".").slice(0, 2).join(".")}`;
}
