// The element's texts, for display and for screen readers.

import { world } from "../lib/world.mjs";

export default function elementText({ test, assert, presence, internal }) {
  const { headingText, newsText, orderRows, rowDetails, rowSeen, rowStatus } = internal;
  const { rowName } = presence;

  const defaults = { entry: {}, platformLabel: "", status: "Active", isConnected: true, isSelf: false, isOwn: false };
  const row = (key, members = {}) => ({ key, host: key, ...defaults, lastInputText: "", ...members });
  const LEFT = { status: "Left", isConnected: false, ageText: "2m ago", reasonLabel: "Disconnect" };
  const roster = (rows, phase = "live", members = {}) => ({ rows, hasList: true, connection: { phase }, ...members });

  test("a row has a name, whichever members it lacks", () => {
    assert.equal(rowName(row("a", { host: "Studio" })), "Studio");
    assert.equal(rowName({ instanceId: "i-1" }), "i-1");
    assert.equal(rowName({ text: "Node: x" }), "Node: x");
    assert.equal(rowName({}), "unknown host");
  });

  test("details omit unknown members", () => {
    const details = (members) => rowDetails({ entry: {}, ...members });
    const full = { ip: "192.0.2.1", version: "1.0", modelIdentifier: "Mac16,6", platformLabel: "macOS 26.1", mode: "ui" };
    assert.equal(details({ ...full, isOwn: true }), "this client · 192.0.2.1 · 1.0 · Mac16,6 · macOS 26.1 · ui");
    assert.equal(details({ platformLabel: "", mode: "node" }), "node");
    assert.equal(details({ deviceFamily: "Linux", platformLabel: "Linux 6.18" }), "Linux 6.18");
    assert.equal(details({ deviceFamily: "Mac", platformLabel: "macOS 26.1" }), "macOS 26.1");
    const input = { ageText: "5m ago", reasonLabel: "Heartbeat", lastInputText: "2m ago" };
    assert.equal(rowSeen(row("a", input)), "input 2m ago · 5m ago · Heartbeat");
    assert.equal(rowSeen(row("a", LEFT)), "");
    assert.equal(rowSeen(row("a", { ...LEFT, lastInputText: "5m ago" })), "input 5m ago");
    assert.equal(rowStatus(row("a", LEFT)), "Left 2m ago");
    assert.equal(rowStatus(row("a", { status: "Idle", ageText: "2m ago" })), "Idle");
    assert.equal(rowSeen(row("a", { isSelf: true, ageText: "just now", reasonLabel: "Self" })), "");
  });

  test("a row of an observed gateway states the gateway, and the gateway itself its name", () => {
    const entry = { gateway: "home" };
    assert.equal(rowDetails(row("a", { mode: "ui", entry })), "ui · via home");
    assert.equal(rowDetails(row("a", { mode: "gateway", entry })), "gateway · home");
    assert.equal(rowDetails(row("a", { mode: "gateway" })), "gateway");
    assert.equal(rowDetails(row("a", { mode: "ui", entry: { gateway: 7 } })), "ui");
    assert.equal(rowDetails(row("a", { mode: "ui", entry: { gateway: "" } })), "ui");
  });

  test("rows are sorted by name below the gateway", () => {
    const rows = [row("zoe"), row("Ben"), row("gateway", { isSelf: true }), row("ana")];
    assert.deepEqual(orderRows(rows, "name").map(({ key }) => key), ["gateway", "ana", "Ben", "zoe"]);
    assert.deepEqual(orderRows(rows, "newest").map(({ key }) => key), ["gateway", "zoe", "Ben", "ana"]);
  });

  /** No joins and no leaves. */
  const NOBODY = { joined: [], left: [] };

  test("rows that left are counted separately", () => {
    const rows = [row("ana"), row("ben", LEFT), row("cleo"), row("dan", LEFT)];
    assert.equal(headingText("Instances", []), "Instances");
    assert.equal(headingText("Instances", [row("ana")]), "Instances (1)");
    assert.equal(headingText("Instances", rows), "Instances (2, 2 left)");
    assert.equal(newsText(undefined, roster(rows), NOBODY), "2 instances, 2 left");
    assert.equal(newsText(undefined, roster([row("ana"), row("ben", LEFT)]), NOBODY), "1 instance, 1 left");
  });

  test("announcements are joins and leaves", () => {
    const before = roster([row("ana"), row("ben")]);
    assert.equal(newsText(undefined, before, { joined: ["ana"], left: [] }), "2 instances", "the first list is a count");
    const news = (joined, left) => newsText(before, roster([row("ana"), row("cleo")]), { joined, left });
    assert.equal(news(["cleo"], ["ben"]), "cleo joined. ben left");
    assert.equal(news([], ["ben"]), "ben left");
    assert.equal(news([], []), "");
    assert.equal(news(["c", "d", "e", "f"], []), "4 instances joined");
  });

  test("ageing is not announced", async (t) => {
    const { clock, client, peer } = world(t, presence, { ttlMs: 3_600_000 });
    const one = client();
    one.start();
    await clock.advance(0);
    await one.connected();
    peer({ scopes: ["operator.admin"] }).beacon({ instanceId: "mac-1", host: "studio", reason: "launch" });
    await clock.advance(10_000);
    const names = { joined: [], left: [] };
    one.onJoin((row) => names.joined.push(rowName(row)));
    one.onLeave((row) => names.left.push(rowName(row)));
    const seen = () => one.roster.rows.find(({ host }) => host === "studio");
    const statuses = [seen().status];
    for (const ms of [130_000, 200_000]) {
      const before = one.roster;
      await clock.advance(ms);
      statuses.push(seen().status);
      assert.equal(newsText(before, one.roster, names), "");
    }
    assert.deepEqual(statuses, ["Active", "Idle", "Stale"]);
  });

  test("a connection is announced when it is lost, restored or refused", () => {
    const live = roster([row("ana")]);
    const lost = roster([row("ana")], "waiting");
    assert.equal(newsText(live, lost, NOBODY), "Connection lost");
    assert.equal(newsText(lost, live, NOBODY), "Connected again");
    const error = { message: "unauthorized", remedy: "Set the token" };
    const refused = roster([row("ana")], "refused", { connection: { phase: "refused", error } });
    assert.equal(newsText(live, refused, NOBODY), "unauthorized. Set the token");
  });
}
