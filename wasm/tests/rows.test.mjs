// The core reports only changed rows, and all rows in one form. Random lists and deltas, some malformed, go into two
// rosters: the test reads one after each frame, the other only sometimes. The second one's frames contain blanks.

import { test } from "node:test";

import * as assert from "./lib/assert.mjs";
import { rawRows, Roster } from "./lib/presence-node.mjs";

const NOW = 1_800_000_000_000;

/** Returns a random number generator that repeats for the same seed. */
function chance(seed) {
  let state = seed;
  return (most) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * most);
  };
}

const STRINGS = [
  '"studio"', '"Zoé · 😀"', '"a\\"b"', '"a\\u0041"', '"\\ud800x"', '"\ud800x"', '"\\ud83d\\ude00"',
  '""', '" I-1 "', '"disconnect"', '"connect"', '"macos 26.1.0"',
];
const ODD = [
  "null", "true", "5", "-1", "1.5", "1e3", "12345678901234567890",
  "[]", "{}", '["a","b","a"]', '[1,{"b":1,"a":"{"}]', '{"z":1,"a":[null]}',
];

function row(pick, blank) {
  const members = [];
  const add = (name, value) => members.push(`"${name}":${blank}${value}`);
  const string = () => (pick(6) === 0 ? ODD[pick(ODD.length)] : STRINGS[pick(STRINGS.length)]);
  if (pick(4) > 0) add("instanceId", pick(8) === 0 ? string() : `"${["I-", "i-", " i-"][pick(3)]}${pick(12)}"`);
  if (pick(3) === 0) add("deviceId", `"d-${pick(6)}"`);
  for (const name of ["host", "ip", "platform", "mode", "reason", "text", "version"]) if (pick(2) === 0) add(name, string());
  for (const name of ["roles", "scopes"]) {
    if (pick(3) === 0) add(name, pick(5) === 0 ? string() : `["r${pick(3)}","r${pick(3)}"]`);
  }
  if (pick(6) > 0) add("ts", pick(9) === 0 ? ODD[pick(ODD.length)] : NOW - pick(400_000));
  if (pick(3) === 0) add("lastInputSeconds", [5, 0, 2_592_000, 1.5, '"x"', -3][pick(6)]);
  if (pick(5) === 0) add(["mood", "__proto__", "é", "toString", "host"][pick(5)], ODD[pick(ODD.length)]);
  return `{${members.join(",")}}`;
}

const rowsOf = (pick, blank, count) => Array.from({ length: count }, () => (pick(30) === 0 ? "7" : row(pick, blank)));

function frame(pick, blank, version) {
  const rows = rowsOf(pick, blank, pick(14));
  switch (pick(5)) {
    case 0:
      return { version, text: `[${rows}]` };
    case 1:
      return { version, text: `{"type":"event","event":"presence","payload":{"presence":[${rows}]},"seq":1}` };
    case 2: {
      const entries = rows.filter((text) => text !== "7");
      const keys = entries.map((_, index) => `"${index === 0 ? "SELF" : `k${index}`}"`);
      return { version: 10, text: `{"payload":{"presence":[${entries}],"keys":[${keys}],"version":10,"digest":"0"}}` };
    }
    default: {
      const upserts = rows.slice(0, 3).map((entry) => `{"key":"k${pick(16)}","entry":${entry}}`);
      const removals = pick(3) === 0 ? `{"key":"k${pick(16)}","reason":"expired"}` : "";
      const touched = pick(3) === 0 ? `["k${pick(16)}",${NOW - pick(1_000)}]` : "";
      const text = `"from":${version},"to":${version + 1},"upserts":[${upserts}],"removals":[${removals}],"touched":[${touched}]`;
      return { version: version + 1, text: pick(2) === 0 ? `{${text}}` : `{"event":"presence.delta","payload":{${text}}}` };
    }
  }
}

/** Everything that a roster returns for one kind of read, as text, so that unpaired surrogates are compared too. */
function seen(roster, asked, now) {
  const texts = (rows) => rows.map((one) => JSON.stringify([one, rawRows(one), one.entry]));
  const { added, removed, changed } = asked > 0 ? roster.diff(now) : { added: [], removed: [], changed: [] };
  return JSON.stringify([
    texts(added),
    texts(removed).sort(),
    changed.map(({ row: after, before, fields }) => [texts([after, before]), fields]),
    asked === 1 ? [] : texts(roster.list(now)),
    roster.entries(),
    roster.findings(),
    roster.size,
  ]);
}

test("a roster that is read rarely returns the same rows as one that is read after each frame", () => {
  for (let seed = 1; seed <= 400; seed += 1) {
    const [quick, slow] = [new Roster(), new Roster()];
    const picks = [chance(seed), chance(seed)];
    let version = 0;
    for (let round = 0; round < 12; round += 1) {
      const frames = [frame(picks[0], "", version), frame(picks[1], " ", version)];
      version = frames[0].version;
      const now = NOW + round * 20_000;
      const applied = [quick.apply(frames[0].text, now), slow.apply(frames[1].text, now)];
      assert.equal(applied[0], applied[1], `seed ${seed}: ${frames[0].text}`);
      // Some states are never read before the next frame.
      const asked = [picks[0](4), picks[1](4)][0];
      if (asked === 3) {
        quick.list(now);
        continue;
      }
      assert.equal(seen(quick, asked, now), seen(slow, asked, now), `seed ${seed}, round ${round}: ${frames[0].text}`);
    }
    quick.free();
    slow.free();
  }
});

test("an unchanged row stays the same object, and is deeply frozen", () => {
  const roster = new Roster();
  const text = JSON.stringify([{ instanceId: "a", ts: NOW, roles: ["x"], extra: { deep: [1] } }]);
  roster.apply(text, NOW);
  const [first] = roster.list(NOW);
  assert.equal(roster.list(NOW)[0], first);
  roster.apply(text, NOW);
  assert.equal(roster.list(NOW)[0], first);
  const parts = [first, first.entry, first.roles, first.entry.extra, first.entry.extra.deep];
  for (const part of parts) assert.equal(Object.isFrozen(part), true);
  const given = [{ instanceId: "a", ts: NOW, roles: ["x"] }];
  roster.apply(given, NOW);
  roster.list(NOW);
  assert.equal(Object.isFrozen(given[0]), false);
  roster.free();
});
