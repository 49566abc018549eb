// A roster without a connection, for example from a pasted list.

const NOW = 1_800_000_000_000;
const self = { host: "gateway", mode: "gateway", reason: "self", ts: NOW };
const row = (members) => ({ host: "studio", mode: "ui", reason: "connect", ts: NOW, ...members });

export default function rosters({ test, assert, presence }) {
  const { compareRows, Roster, rawRows, rowName } = presence;
  const hosts = (rows) => rows.map(({ host }) => host);

  test("a pasted list becomes rows with statuses at any time", () => {
    using(new Roster(), (roster) => {
      roster.apply(JSON.stringify([self, row({ instanceId: "i", ts: NOW - 130_000 })]), NOW);
      const [gateway, studio] = roster.list(NOW);
      assert.deepEqual([gateway.isSelf, gateway.status, gateway.ageText], [true, "Active", "just now"]);
      assert.deepEqual([studio.status, studio.ageMs, studio.ageText], ["Idle", 130_000, "2m ago"]);
      assert.equal(roster.status(studio.key, NOW - 130_000 + 300_000), "Idle");
      assert.equal(roster.nextChange(), NOW - 130_000 + 300_001);
    });
  });

  test("rows are sorted by name, the gateway's own first, and rows with equal names by key", () => {
    using(new Roster(), (roster) => {
      const unsorted = [
        row({ host: "b", instanceId: "2" }),
        row({ host: "b", instanceId: "1" }),
        row({ host: undefined, instanceId: "Ä" }),
        row({ host: "z", instanceId: "3" }),
      ];
      roster.apply([...unsorted, self], NOW);
      const rows = [...roster.list(NOW)];
      const nameOf = (each) => `${rowName(each)} ${each.instanceId ?? ""}`;
      const names = (naming) => rows.sort((a, b) => compareRows(a, b, naming)).map(nameOf);
      assert.deepEqual(names(), ["gateway ", "Ä Ä", "b 1", "b 2", "z 3"]);
      assert.deepEqual(names({ compare: (a, b) => (a < b ? 1 : a > b ? -1 : 0) }), ["gateway ", "Ä Ä", "z 3", "b 1", "b 2"]);
      assert.equal(rowName({}, { unknownHost: "unbekannt" }), "unbekannt");
    });
  });

  test("any frame of a gateway that contains a list is accepted", () => {
    const list = [self, row({ instanceId: "i" })];
    for (const given of [
      list,
      { presence: list },
      { type: "event", event: "presence", payload: { presence: list }, seq: 3 },
      { type: "res", id: "1", ok: true, payload: list },
      { type: "res", id: "1", ok: true, payload: { type: "hello-ok", snapshot: { presence: list } } },
    ]) {
      for (const form of [given, JSON.stringify(given)]) {
        using(new Roster(), (roster) => {
          assert.equal(roster.apply(form, NOW), true);
          assert.deepEqual(hosts(roster.list(NOW)), ["gateway", "studio"]);
        });
      }
    }
  });

  test("a text without a list is refused with an error that names the problem", async () => {
    const roster = new Roster();
    for (const given of ["", "not json", "{}", '{"presence":5}', 5]) {
      await assert.failsWith("INVALID_ARGUMENT", () => roster.apply(given, NOW));
    }
    roster.free();
  });

  test("several rows of one instance are merged into one, and the raw rows can be read", () => {
    using(new Roster(), (roster) => {
      const raw = [
        row({ instanceId: "Tab-1", ip: "192.0.2.4", roles: ["operator"], ts: NOW }),
        row({ instanceId: " tab-1 ", reason: "disconnect", version: "1.0", ip: "192.0.2.9", ts: NOW - 50_000 }),
      ];
      roster.apply([self, ...raw], NOW);
      const rows = roster.list(NOW);
      assert.equal(rows.length, 2);
      assert.deepEqual([rows[1].reason, rows[1].ip, rows[1].version], ["connect", "192.0.2.4", "1.0"]);
      assert.deepEqual(rawRows(rows[1]).map(({ reason }) => reason).sort(), ["connect", "disconnect"]);
      assert.equal(roster.entries().length, 3);
    });
  });

  test("a row is Left if all its raw rows are, at any age", () => {
    using(new Roster({ ttlMs: 900_000 }), (roster) => {
      const tab = (reason, age) => row({ instanceId: "tab-1", reason, ts: NOW - age });
      const status = (age) => roster.list(NOW + age).map((row) => [row.status, row.isConnected]);
      roster.apply([tab("disconnect", 0), tab("disconnect", 5)], NOW);
      for (const age of [0, 120_001, 300_001]) assert.deepEqual(status(age), [["Left", false]]);
      assert.equal(roster.nextChange(), NOW + 900_001, "only its expiry is due");
      // The open raw row states no reason; the merged row must not take the reason of the closed one.
      roster.apply([tab("disconnect", 0), tab(undefined, 5)], NOW);
      assert.deepEqual(status(0), [["Active", true]]);
      assert.equal(roster.list(NOW)[0].reasonLabel, "");
      roster.apply([tab("Disconnect", 0)], NOW);
      assert.deepEqual(status(0), [["Active", true]]);
    });
  });

  test("TTL and cap are applied as a gateway applies them", () => {
    using(new Roster({ ttlMs: 10_000, maxRows: 3 }), (roster) => {
      const rows = [1, 2, 3, 4].map((n) => row({ instanceId: `i${n}`, host: `h${n}`, ts: NOW - n * 1_000 }));
      roster.apply([self, ...rows], NOW);
      assert.deepEqual(hosts(roster.list(NOW)), ["gateway", "h1", "h2"]);
      assert.deepEqual(hosts(roster.list(NOW + 8_000)), ["gateway", "h1", "h2"]);
      assert.deepEqual(hosts(roster.list(NOW + 8_001)), ["gateway", "h1"]);
      assert.deepEqual(hosts(roster.list(NOW + 900_000)), ["gateway"], "the gateway's own row stays");
      assert.equal(roster.size, 1);
    });
  });

  test("other thresholds change statuses", () => {
    using(new Roster({ thresholds: { activeMs: 1_000, idleMs: 2_000 } }), (roster) => {
      roster.apply([row({ instanceId: "i" })], NOW);
      const status = (ageMs) => roster.list(NOW + ageMs)[0].status;
      assert.deepEqual([1_000, 1_001, 2_001].map(status), ["Active", "Idle", "Stale"]);
    });
  });

  test("a delta changes the list that it follows, and is refused after a gap", () => {
    using(new Roster(), (roster) => {
      const keyed = { presence: [self, row({ instanceId: "i" })], keys: ["SELF", "i"], version: 7 };
      roster.apply(keyed, NOW);
      const upserts = [{ key: "j", entry: row({ instanceId: "j", host: "new" }) }];
      const removals = [{ key: "i", reason: "expired" }];
      const delta = { from: 7, to: 8, upserts, removals, touched: [["SELF", NOW + 5_000]] };
      assert.equal(roster.apply({ type: "event", event: "presence.delta", payload: delta }, NOW + 5_000), true);
      assert.deepEqual(hosts(roster.list(NOW + 5_000)), ["gateway", "new"]);
      assert.equal(roster.apply({ ...delta, from: 12, to: 13 }, NOW + 5_000), false, "a gap");
    });
  });

  test("diff returns the changes since its last call", () => {
    using(new Roster(), (roster) => {
      roster.apply([self, row({ instanceId: "a", host: "a" }), row({ instanceId: "b", host: "b" })], NOW);
      assert.deepEqual(hosts(roster.diff(NOW).added), ["gateway", "a", "b"]);
      roster.apply([self, row({ instanceId: "b", host: "b", mode: "node" }), row({ instanceId: "c", host: "c" })], NOW);
      const { added, removed, changed } = roster.diff(NOW);
      assert.deepEqual([hosts(added), hosts(removed)], [["c"], ["a"]]);
      assert.deepEqual(changed.map(({ row, fields }) => [row.host, fields]), [["b", ["mode"]]]);
      const later = roster.diff(NOW + 120_001);
      assert.deepEqual(later.changed.map(({ fields }) => fields), [["status"], ["status"], ["status"]]);
    });
  });

  test("unknown members are kept, entries are frozen, and wrong types are ignored", () => {
    using(new Roster(), (roster) => {
      roster.apply([row({ instanceId: "i", mood: { deep: [1] }, roles: "no list", host: 5, ts: NOW + 0.5 })], NOW);
      const [found] = roster.list(NOW);
      assert.deepEqual(found.entry.mood, { deep: [1] });
      assert.deepEqual([found.host, found.roles], [undefined, []]);
      assert.ok(Object.isFrozen(found.entry.mood.deep));
      assert.equal(found.ts, NOW);
    });
  });

  test("findings explain suspected duplicates", () => {
    using(new Roster(), (roster) => {
      roster.apply([self, row({ instanceId: "Mac-1", ts: NOW }), row({ instanceId: " MAC-1", ts: NOW - 1_000 })], NOW);
      const findings = roster.findings();
      const spelling = findings.find(({ code }) => code === "ID_SPELLING");
      assert.ok(spelling, findings.map(({ code }) => code).join());
      assert.deepEqual(spelling.entries.map(({ instanceId }) => instanceId), ["Mac-1", " MAC-1"]);
      assert.ok(["low", "medium", "high"].includes(spelling.confidence));
      assert.ok(spelling.title && spelling.fix && spelling.evidence.length > 0);
      assert.deepEqual([spelling.checkId, spelling.severity, spelling.indexes], ["presence/id-spelling", "warning", [1, 2]]);
      assert.deepEqual(spelling.rows, roster.list(NOW).filter(({ isSelf }) => !isSelf).map(({ key }) => key));
      assert.equal(spelling.target, spelling.rows[0]);
      assert.equal(spelling.fixHint, spelling.fix);
      assert.equal(spelling.message, [spelling.title, ...spelling.evidence].join(" "));
      assert.ok(Object.isFrozen(findings) && Object.isFrozen(spelling));
    });
  });

  test("a finding names an instance with two rows once, and a full list has no such finding", () => {
    using(new Roster(), (roster) => {
      const rows = Array.from({ length: 178 }, (_, n) => row({ instanceId: `i${n}`, host: `h${n}`, ts: NOW - n }));
      const raw = ["connect", "disconnect"].map((reason) => row({ instanceId: "tab", reason, ts: NOW }));
      roster.apply([self, ...raw, ...rows], NOW);
      const found = roster.findings().map(({ code, severity, target, entries, indexes, rows }) =>
        ({ code, severity, target, entries: entries.length, indexes, rows }));
      const key = roster.list(NOW).find(({ entry }) => entry.instanceId === "tab").key;
      assert.deepEqual(found, [
        { code: "STALE_DISCONNECT", severity: "info", target: key, entries: 2, indexes: [1, 2], rows: [key] },
        { code: "NEAR_CAP", severity: "warning", target: undefined, entries: 0, indexes: [], rows: [] },
      ]);
    });
  });

  test("a row is explained from its raw rows in the list", () => {
    using(new Roster(), (roster) => {
      const current = row({ instanceId: "tab", version: "2", reason: "connect", ts: NOW });
      const old = row({ instanceId: "TAB", ip: "192.0.2.9", reason: "disconnect", ts: NOW - 5_000 });
      roster.apply([self, current, old], NOW);
      const { key } = roster.list(NOW).find(({ entry }) => entry.instanceId === "tab");
      const explanation = roster.explain(key, NOW + 60_000);
      assert.deepEqual([explanation.source, explanation.key, explanation.keyFrom], ["list", key, "instanceId"]);
      assert.deepEqual([explanation.rows, explanation.connections], [["1", "2"], undefined]);
      const member = (wanted) => explanation.members.find(({ name }) => name === wanted);
      assert.deepEqual(member("version"), { name: "version", value: "2", from: "list", row: "1", ageMs: 60_000 });
      assert.equal(member("ip").row, "2");
      assert.equal(explanation.expiresInMs, 240_000);
      assert.ok(explanation.why && explanation.ends && Object.isFrozen(explanation));
      assert.equal(roster.explain("nobody", NOW), undefined);
    });
  });

  test("a freed roster fails with FREED", async () => {
    const roster = new Roster();
    roster.free();
    roster.free();
    await assert.failsWith("FREED", () => roster.list(NOW));
    await assert.failsWith("FREED", () => roster.size);
  });

  test("errors name the invalid option", async () => {
    const error = await assert.failsWith("INVALID_ARGUMENT", () => new Roster({ ttlMs: "5" }));
    assert.match(error.message, /ttlMs/);
  });

  test("errors name the number that is out of range", async () => {
    const bounds = [
      [{ ttlMs: 0 }, "options.ttlMs must be at least 1"],
      [{ maxRows: 0 }, "options.maxRows must be at least 1"],
      [{ maxRows: 2 ** 32 }, "options.maxRows must be at most 10000"],
      [{ thresholds: { activeMs: 10, idleMs: 9 } }, "options.thresholds.idleMs must be at least 10"],
    ];
    for (const [options, message] of bounds) {
      const error = await assert.failsWith("INVALID_ARGUMENT", () => new Roster(options));
      assert.equal(error.message, message);
    }
  });

  test("the labels of rows can be replaced one by one", () => {
    const labels = { ageText: presence.ageTextIn("de"), reasonLabel: (reason) => `[${reason}]` };
    const roster = new presence.Roster({ labels });
    const entry = {
      host: "a", instanceId: "a", reason: "periodic", platform: "macos 26.1.0", ts: 1_000_000, lastInputSeconds: 60,
    };
    roster.apply([entry], 1_000_000);
    const [row] = roster.list(1_300_000);
    const texts = [row.ageText, row.lastInputText, row.reasonLabel, row.platformLabel];
    assert.deepEqual(texts, ["vor 5 Min.", "vor 6 Min.", "[periodic]", "macOS 26.1"]);
    const ages = [0, 60_000, 3_600_000, 86_400_000].map(presence.ageTextIn("en"));
    assert.deepEqual(ages, ["now", "1 min. ago", "1 hr. ago", "yesterday"]);
    roster.free();
  });
}

/** `using`, for platforms without it. */
function using(disposable, use) {
  try {
    return use(disposable);
  } finally {
    disposable.free();
  }
}
