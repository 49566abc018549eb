// The digest of a roster: the sum of its rows' digests, with which both ends check that their lists are equal.

import { xxh3 } from "./xxh3.mjs";

/** Returns the digest of a row: of its key and its entry in canonical JSON, without times. */
export function rowDigest(key, entry) {
  const { ts, lastInputSeconds, onlineSince, lastActivityAt, ...rest } = entry;
  return xxh3(`${key}\n${canonical(rest)}`);
}

/** Returns a digest in its wire form. */
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
