// Both sides of the benchmark do the same work: they make equal rows from the same frames.

import { test } from "node:test";

import { comingsAndGoings, deltas, entry, NOW, snapshot, touches } from "../bench/frames.mjs";
import { digestText, rowDigest } from "../bench/digest.mjs";
import { PlainRoster } from "../bench/plain-roster.mjs";
import * as assert from "./lib/assert.mjs";
import { Roster } from "./lib/presence-node.mjs";

const plainly = (rows) => JSON.parse(JSON.stringify(rows));

/** Asserts that both rosters hold the same list at these times. */
function equalLists(roster, plain, times) {
  for (const now of times) assert.deepEqual(plainly(roster.list(now)), plainly(plain.list(now)));
}

for (const isKeyed of [false, true]) {
  test(`plain JavaScript and the core make equal rows of a ${isKeyed ? "keyed snapshot" : "presence event"}`, () => {
    for (const count of [2, 200, 1_000]) {
      const [roster, plain] = [new Roster({ maxRows: count }), new PlainRoster({ maxRows: count })];
      roster.apply(snapshot(count, { isKeyed }), NOW);
      plain.apply(snapshot(count, { isKeyed }), NOW);
      assert.equal(plain.list(NOW).length, count);
      equalLists(roster, plain, [NOW, NOW + 9_000]);
      roster.free();
    }
  });
}

test("plain JavaScript and the core make equal rows of deltas", () => {
  const [roster, plain] = [new Roster(), new PlainRoster()];
  roster.apply(snapshot(200, { isKeyed: true }), NOW);
  plain.apply(snapshot(200, { isKeyed: true }), NOW);
  roster.diff(NOW);
  for (const text of deltas(200, 300)) {
    assert.equal(roster.apply(text, NOW), true);
    const keys = [...plain.apply(text, NOW)];
    const { changed, added, removed } = roster.diff(NOW);
    assert.deepEqual([added.length, removed.length], [0, 0]);
    assert.deepEqual(
      changed.map(({ row }) => plainly(row)),
      keys.map((key) => plainly(plain.row(key, NOW))),
    );
  }
  equalLists(roster, plain, [NOW + 300]);
  roster.free();
});

test("plain JavaScript and the core make equal rows of touches and removals", () => {
  for (const texts of [touches(200, 60), comingsAndGoings(200, 60)]) {
    const [roster, plain] = [new Roster(), new PlainRoster()];
    roster.apply(snapshot(200, { isKeyed: true, hasDigest: false }), NOW);
    plain.apply(snapshot(200, { isKeyed: true, hasDigest: false }), NOW);
    for (const text of texts) {
      const before = plainly(roster.list(NOW));
      assert.equal(roster.apply(text, NOW), true);
      plain.apply(text, NOW);
      equalLists(roster, plain, [NOW]);
      assert.equal(JSON.stringify(before) === JSON.stringify(plainly(roster.list(NOW))), false);
    }
    roster.free();
  }
});

test("plain JavaScript and the core merge the rows of one instance in the same way", () => {
  const one = entry(4);
  const list = [
    { ...one, reason: "connect", lastInputSeconds: undefined, ts: NOW - 5_000, scopes: ["operator.read"] },
    { ...one, reason: "disconnect", ts: NOW - 1_000, zone: "kept" },
    { ...one, instanceId: ` ${one.instanceId.toUpperCase()}`, ts: NOW - 9_000, scopes: ["operator.admin"] },
    { ...entry(5), instanceId: undefined, ts: NOW - 2_000 },
    { host: "nameless", ts: NOW - 3_000 },
    { host: "Nameless ", ts: NOW - 4_000 },
    { ...entry(6), ts: NOW - 300_001 },
  ];
  const text = JSON.stringify({ type: "event", event: "presence", payload: { presence: list }, seq: 1 });
  const [roster, plain] = [new Roster(), new PlainRoster()];
  roster.apply(text, NOW);
  plain.apply(text, NOW);
  assert.equal(plain.list(NOW).length, 4);
  equalLists(roster, plain, [NOW, NOW + 200_000]);
  roster.free();
});

test("plain JavaScript and the core handle malformed rows in the same way", () => {
  const one = entry(4);
  const odd = [
    null,
    5,
    "row",
    [],
    { ...entry(1), host: 5, ip: "", version: null, roles: "operator", scopes: ["a", 7, "b"], lastInputSeconds: 9.9 },
    { ...entry(2), ts: `${NOW}`, lastInputSeconds: "3" },
    { ...entry(3), ts: undefined, lastInputSeconds: -4 },
    { ...one, mode: null, lastInputSeconds: 2_592_000, ts: NOW - 0.5 },
    { ...entry(5), instanceId: 7, deviceId: ` ${one.deviceId} ` },
    { ...entry(6), reason: {}, platform: [], text: true, deep: { er: [{ x: null }] } },
  ];
  const text = JSON.stringify({ type: "event", event: "presence", payload: { presence: odd }, seq: 1 });
  const [roster, plain] = [new Roster(), new PlainRoster()];
  roster.apply(text, NOW);
  plain.apply(text, NOW);
  assert.equal(plain.list(NOW).length, 6);
  equalLists(roster, plain, [NOW, NOW + 100_000]);
  roster.free();
});

test("plain JavaScript and the core refuse a wrong digest", () => {
  // The lengths cover all branches of the hash.
  const lengths = [1, 3, 8, 16, 100, 128, 200, 240, 300, 1_100, 2_500];
  const list = lengths.map((length, index) => ({ a: "x".repeat(length), ts: NOW, instanceId: `i${index}` }));
  const keys = list.map(({ instanceId }, index) => (index === 0 ? "SELF" : instanceId));
  const digest = digestText(list.reduce((sum, one, index) => sum + rowDigest(keys[index], one), 0n));
  const touch = (digest) => JSON.stringify({ from: 1, to: 1, upserts: [], removals: [], touched: [["SELF", NOW + 1]], digest });
  for (const make of [() => new Roster(), () => new PlainRoster()]) {
    const roster = make();
    roster.apply(JSON.stringify({ presence: list, keys, version: 1, digest }), NOW);
    assert.equal(Boolean(roster.apply(touch(digest), NOW)), true);
    assert.equal(Boolean(roster.apply(touch("0123456789abcdef"), NOW)), false);
    roster.free?.();
  }
});
