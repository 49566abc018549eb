// The digest of a roster: the sum of its rows', so that both ends see that they hold the same.

import { xxh3 } from "./xxh3.mjs";

/** What a row counts: its key and its entry in canonical JSON, without what only says when. */
export function rowDigest(key, entry) {
  const { ts, lastInputSeconds, onlineSince, lastActivityAt, ...rest } = entry;
  return xxh3(`${key}\n${canonical(rest)}`);
}

/** A digest as it is on the wire. */
export function digestText(sum) {
  return BigInt.asUintN(64, sum).toString(16).padStart(16, "0");
}

function canonical(value) {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const members = Object.keys(value)
    .sort()
    .filter((name) => value[name] !== undefined)
    .map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`);
  return `{${members.join(",")}}`;
}
