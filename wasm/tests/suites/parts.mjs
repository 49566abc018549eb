// Parts that need no connection.

export default function parts({ test, assert, presence, internal }) {
  const { VirtualClock, diffRows } = presence;

  test("a virtual clock fires timers by time, then in the order in which they were set", async () => {
    const clock = new VirtualClock(1_000);
    const fired = [];
    const set = (name, ms) => clock.setTimer(() => fired.push([name, clock.ageMs(), clock.wallMs()]), ms);
    set("late", 30);
    set("first", 10);
    set("second", 10);
    const cancel = set("never", 10);
    cancel();
    cancel();
    await clock.advance(20);
    assert.deepEqual(fired, [["first", 10, 1_010], ["second", 10, 1_010]]);
    assert.equal(clock.nextTimerMs, 30);
    await clock.suspend(100);
    await clock.advance(0);
    assert.deepEqual(fired.at(-1), ["late", 120, 1_120]);
    assert.equal(clock.timers, 0);
    clock.stepWall(-500);
    assert.deepEqual([clock.ageMs(), clock.wallMs()], [120, 620]);
  });

  test("a virtual clock never goes back, whatever advances it at the same time", async () => {
    const clock = new VirtualClock(1_000);
    await Promise.all([clock.advance(1_000), clock.advance(500)]);
    assert.deepEqual([clock.ageMs(), clock.wallMs()], [1_000, 2_000]);
    let isSuspended;
    clock.setTimer(() => (isSuspended = clock.suspend(10_000)), 400);
    await clock.advance(1_000);
    await isSuspended;
    assert.deepEqual([clock.ageMs(), clock.wallMs()], [11_400, 12_400]);
    await clock.advance(-5);
    await clock.suspend(-5);
    assert.deepEqual([clock.ageMs(), clock.wallMs()], [11_400, 12_400]);
  });

  test("a timer of a virtual clock can set another timer", async () => {
    const clock = new VirtualClock();
    const fired = [];
    const again = () => {
      fired.push(clock.ageMs());
      if (fired.length < 3) clock.setTimer(again, 10);
    };
    clock.setTimer(again, 10);
    await clock.advance(100);
    assert.deepEqual(fired, [10, 20, 30]);
  });

  test("a prompt clock does not fire a timer that an earlier one cancelled", async () => {
    const virtual = new VirtualClock();
    const clock = new internal.PromptClock(virtual);
    const fired = [];
    let cancel;
    clock.setTimer(() => {
      fired.push("first");
      cancel();
    }, 10);
    cancel = clock.setTimer(() => fired.push("cancelled"), 10);
    await virtual.suspend(20);
    clock.fireDue();
    assert.deepEqual(fired, ["first"]);
  });

  test("a simulated gateway refuses unknown options and modes by name", async () => {
    const invalid = [
      [{ ttl: 5 }, "invalid options.ttl: there is no such option"],
      [{ limits: { tickMs: 5 } }, "invalid options.limits.tickMs: there is no such option"],
      [{ auth: { mode: "token", token: "s" } }, "invalid options.auth.token: there is no such option"],
      [{ auth: { mode: "Token", secret: "s" } }, "options.auth.mode must be token, password or none"],
      [{ auth: { secret: "s" } }, "options.auth.mode must be token, password or none"],
      [{ auth: { mode: "token" } }, "options.auth.secret must be a string that is not empty"],
    ];
    for (const [options, message] of invalid) {
      const error = await assert.failsWith("INVALID_ARGUMENT", () => new presence.SimulatedGateway(options));
      assert.equal(error.message, message);
    }
    for (const auth of [undefined, null, {}, { mode: "none", secret: null }]) new presence.SimulatedGateway({ auth }).free();
  });

  const row = (key, entry, status = "Active") => Object.freeze({ key, entry, status, ts: entry.ts ?? 0 });

  test("a diff has added, removed and changed rows, but no age changes", () => {
    const stays = row("a", { host: "A", ts: 1 });
    const before = [stays, row("b", { host: "B", ts: 1 }), row("c", { host: "C", ts: 1 }), row("d", { host: "D", ts: 1 })];
    const after = [
      stays,
      row("b", { host: "B", ts: 99 }),
      row("c", { host: "C", mode: "ui", ts: 99 }, "Idle"),
      row("e", { host: "E", ts: 99 }),
    ];
    const { added, removed, changed } = diffRows(before, after);
    assert.deepEqual(added.map(({ key }) => key), ["e"]);
    assert.deepEqual(removed.map(({ key }) => key), ["d"]);
    assert.deepEqual(changed.map(({ row, fields }) => [row.key, fields]), [["c", ["status", "mode"]]]);
    assert.equal(changed[0].before, before[2]);
  });

  test("a diff compares last inputs as times, not as ages", () => {
    const before = [row("a", { lastInputSeconds: 12, ts: 100_000 })];
    const later = [row("a", { lastInputSeconds: 22, ts: 110_900 })];
    const newer = [row("a", { lastInputSeconds: 2, ts: 110_900 })];
    assert.equal(diffRows(before, later).changed.length, 0);
    assert.deepEqual(diffRows(before, newer).changed[0].fields, ["lastInputSeconds"]);
  });
}
