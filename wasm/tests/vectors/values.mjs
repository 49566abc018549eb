// Placeholders in vectors for values that are known only at run time, and the comparison of expected with received
// values (README of the vectors, "Values").

import { at, fail, short } from "./failure.mjs";
import { isObject } from "./json.mjs";

const MATCHERS = ["$has", "$contains", "$lacks", "$startsWith"];

/** The member of rows that is compared only if the expectation states it. */
const UNSTATED = "onlineSince";

/** The values of placeholders. */
export class Context {
  /** Connection ids and nonces, by connection. */
  conns = new Map();
  nonces = new Map();
  #suite;
  #secret;
  #selfRow;

  constructor(suite, secret, selfRow) {
    this.#suite = suite;
    this.#secret = secret;
    this.#selfRow = selfRow;
  }

  /** Returns a value to send, with its placeholders replaced. */
  sent(value) {
    return this.#expand(value, undefined);
  }

  /** Returns an expected value with its placeholders replaced, for a comparison at this virtual time. */
  expected(value, atMs) {
    return this.#expand(value, atMs);
  }

  #expand(value, atMs) {
    if (typeof value === "string") return value.startsWith("$") ? this.#placeholder(value, atMs) : value;
    if (Array.isArray(value)) return value.map((item) => this.#expand(item, atMs));
    return isObject(value) ? this.#expandObject(value, atMs) : value;
  }

  #expandObject(members, atMs) {
    if ("$row" in members) {
      const { $row: name, ...others } = members;
      const row = { ...(this.#suite.cast.rows[name] ?? fail(`no row ${name} in the cast`)) };
      for (const [member, value] of Object.entries(others)) {
        if (value === null) delete row[member];
        else row[member] = value;
      }
      return this.#expand(row, atMs);
    }
    const names = Object.keys(members);
    if (names.length === 1 && names[0].startsWith("$")) {
      const [name] = names;
      const value = members[name];
      if (name === "$repeat") return repeated(value);
      if (name === "$concat") return value.map((part) => this.#expand(part, atMs)).join("");
      if (name === "$self") return this.#self(this.#expand(value, atMs));
      if (atMs === undefined || !MATCHERS.includes(name)) fail(`${name} means nothing here`);
    }
    return Object.fromEntries(names.map((name) => [name, this.#expand(members[name], atMs)]));
  }

  #placeholder(text, atMs) {
    if (text.startsWith("$t")) return this.#time(text);
    if (atMs !== undefined) {
      if (text === "$any" || text === "$absent") return text;
      if (text === "$self") return this.#self(this.#suite.cast.startWallMs + atMs);
    }
    if (text === "$secret" && this.#secret !== undefined) return this.#secret;
    const [kind, name] = text.split(":", 2);
    const device = this.#suite.devices.devices[name];
    const found = {
      $conn: this.conns.get(name),
      $nonce: this.nonces.get(name),
      $device: device?.id,
      $key: device?.publicKey,
      $pem: device?.publicKeyPem,
    }[kind];
    return found ?? fail(`${text} stands for nothing`);
  }

  #time(text) {
    const offset = /^\$t(|[+-]\d+)$/.exec(text)?.[1] ?? fail(`${text} is no time`);
    return this.#suite.cast.startWallMs + Number(offset);
  }

  #self(ts) {
    return { ...this.#selfRow, ts };
  }
}

function repeated([text, count]) {
  if (typeof text !== "string" || !Number.isSafeInteger(count)) fail("$repeat wants a text and a number");
  return text.repeat(count);
}

/** Compares a received value with an expanded expectation. Fails with the path of the first difference. */
export function compare(expected, received) {
  if (expected === "$any") return;
  if (isObject(expected)) {
    const names = Object.keys(expected);
    if (names.length === 1 && MATCHERS.includes(names[0])) return compareMatcher(names[0], expected[names[0]], received);
    if (isObject(received)) return compareObject(expected, received);
  }
  if (Array.isArray(expected) && Array.isArray(received)) return compareList(expected, received);
  if (!Object.is(expected, received)) fail(`expected ${short(expected)}, received ${short(received)}`);
}

function compareObject(expected, received) {
  for (const [name, value] of Object.entries(expected)) {
    const isThere = Object.hasOwn(received, name);
    if (value === "$absent") {
      if (isThere) fail(`unexpected ${name}: ${short(received[name])}`);
      continue;
    }
    if (!isThere) fail(`${name} is missing`);
    at(name, () => compare(value, received[name]));
  }
  const extra = Object.keys(received).find((name) => name !== UNSTATED && !Object.hasOwn(expected, name));
  if (extra !== undefined) fail(`unexpected ${extra}: ${short(received[extra])}`);
}

function compareList(expected, received) {
  const both = Math.min(expected.length, received.length);
  for (let index = 0; index < both; index += 1) at(`[${index}]`, () => compare(expected[index], received[index]));
  if (received.length < expected.length) fail(`missing ${short(expected[both])}`);
  if (received.length > expected.length) fail(`unexpected ${short(received[both])}`);
}

function compareMatcher(name, wanted, received) {
  if (name === "$has" && isObject(wanted) && isObject(received)) {
    for (const [member, value] of Object.entries(wanted)) {
      const isThere = Object.hasOwn(received, member);
      if (value === "$absent") {
        if (isThere) fail(`unexpected ${member}: ${short(received[member])}`);
      } else if (!isThere) fail(`${member} is missing in ${short(received)}`);
      else at(member, () => compare(value, received[member]));
    }
  } else if (name === "$contains" && Array.isArray(received)) {
    const missing = wanted.find((item) => !received.some((found) => matches(item, found)));
    if (missing !== undefined) fail(`${short(missing)} is missing`);
  } else if (name === "$lacks" && Array.isArray(received)) {
    const found = wanted.find((item) => received.some((other) => matches(item, other)));
    if (found !== undefined) fail(`${short(found)} should not be there`);
  } else if (!(name === "$startsWith" && typeof received === "string" && received.startsWith(wanted))) {
    fail(`expected ${name} ${short(wanted)}, received ${short(received)}`);
  }
}

function matches(expected, received) {
  try {
    compare(expected, received);
    return true;
  } catch {
    return false;
  }
}

/** Replaces `{i}` in all strings, including the names of members. */
export function numbered(value, i) {
  if (typeof value === "string") return value.replaceAll("{i}", String(i));
  if (Array.isArray(value)) return value.map((item) => numbered(item, i));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [numbered(name, i), numbered(item, i)]));
}
