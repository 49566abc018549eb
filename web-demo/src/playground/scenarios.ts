import type { Action, Script } from "./script.js";

/** A script with a title and an explanation of what it shows. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** What to observe, in one sentence. */
  readonly explanation: string;
  readonly script: Script;
  /** Duration, in ms. */
  readonly untilMs: number;
}

const at = (seconds: number) => ({ atMs: seconds * 1_000 });
const script = (actions: readonly Action[], bounds: Partial<Script> = {}): Script => ({ ttlMs: 300_000, cap: 200, ...bounds, actions });

/** Scenarios from OpenClaw's documentation of presence. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: "duplicate",
    title: "Duplicate row",
    explanation:
      "The WebChat tab has no instanceId: each time it reconnects, the gateway cannot recognize it and adds another row beside the earlier ones.",
    script: script([
      { ...at(0), op: "add", id: 1, kind: "mac", identity: "stable", network: "lan" },
      { ...at(5), op: "add", id: 2, kind: "tab", identity: "none", network: "lan" },
      { ...at(30), op: "drop", id: 2 },
      { ...at(40), op: "reconnect", id: 2, network: "lan" },
      { ...at(70), op: "drop", id: 1 },
      { ...at(80), op: "reconnect", id: 1, network: "lan" },
      { ...at(110), op: "drop", id: 2 },
      { ...at(120), op: "reconnect", id: 2, network: "lan" },
    ]),
    untilMs: 150_000,
  },
  {
    name: "stale",
    title: "Stale row",
    explanation:
      "A script on terminal sends one beacon and disconnects: its row is Active for 2 minutes, Idle until 5, then Stale. The Mac, maple, closes its connection at the same moment: its row is Left at once. Both rows go after the time to live (10 minutes here).",
    script: script(
      [
        { ...at(0), op: "add", id: 2, kind: "mac", identity: "stable", network: "lan" },
        { ...at(5), op: "add", id: 3, kind: "tab", identity: "stable", network: "lan" },
        { ...at(55), op: "add", id: 1, kind: "cli", identity: "stable", network: "lan" },
        { ...at(60), op: "beacon", id: 1 },
        { ...at(60), op: "drop", id: 1 },
        { ...at(60), op: "drop", id: 2 },
      ],
      { ttlMs: 600_000 },
    ),
    untilMs: 680_000,
  },
  {
    name: "tunnel",
    title: "Loopback IP kept",
    explanation:
      "The Mac states its address in a beacon, then comes back through an SSH tunnel, from 127.0.0.1: the gateway ignores that address and keeps the good one, 192.168.1.21.",
    script: script([
      { ...at(0), op: "add", id: 1, kind: "mac", identity: "stable", network: "lan" },
      { ...at(10), op: "add", id: 2, kind: "node", identity: "stable", network: "tunnel" },
      { ...at(30), op: "drop", id: 1 },
      { ...at(40), op: "reconnect", id: 1, network: "tunnel" },
    ]),
    untilMs: 60_000,
  },
  {
    name: "cap",
    title: "Cap reached",
    explanation:
      "This list holds 6 rows (200 by default): with each client beyond that, the row that was seen least recently is evicted, and never the gateway's own.",
    script: script(
      [
        { ...at(0), op: "add", id: 1, kind: "mac", identity: "stable", network: "lan" },
        { ...at(5), op: "add", id: 2, kind: "tab", identity: "stable", network: "lan" },
        { ...at(10), op: "drop", id: 1 },
        { ...at(15), op: "add", id: 3, kind: "node", identity: "stable", network: "lan" },
        { ...at(20), op: "add", id: 4, kind: "mac", identity: "stable", network: "lan" },
        { ...at(25), op: "add", id: 5, kind: "tab", identity: "stable", network: "lan" },
        { ...at(60), op: "add", id: 6, kind: "node", identity: "stable", network: "lan" },
        { ...at(80), op: "add", id: 7, kind: "tab", identity: "stable", network: "lan" },
      ],
      { cap: 6 },
    ),
    untilMs: 100_000,
  },
  {
    name: "cli",
    title: "CLI not shown",
    explanation:
      "The command line connects, does its work and leaves, three times over, and gets no row: one-off commands would only flood the list.",
    script: script([
      { ...at(0), op: "add", id: 1, kind: "mac", identity: "stable", network: "lan" },
      { ...at(10), op: "add", id: 2, kind: "cli", identity: "stable", network: "lan" },
      { ...at(14), op: "drop", id: 2 },
      { ...at(24), op: "reconnect", id: 2, network: "lan" },
      { ...at(28), op: "drop", id: 2 },
      { ...at(38), op: "reconnect", id: 2, network: "lan" },
      { ...at(42), op: "drop", id: 2 },
    ]),
    untilMs: 60_000,
  },
  {
    name: "case",
    title: "IDs by case",
    explanation:
      "The Mac's handshake and its beacons spell one id differently, Mac-studio and MAC-STUDIO: ids are compared without case, so it stays one row.",
    script: script([
      { ...at(0), op: "add", id: 1, kind: "mac", identity: "case", network: "lan" },
      { ...at(20), op: "beacon", id: 1 },
      { ...at(40), op: "beacon", id: 1 },
    ]),
    untilMs: 60_000,
  },
  {
    name: "beacon-id",
    title: "Beacon with another id",
    explanation:
      "The Mac's beacons carry another instanceId than its handshake: one machine, two rows, and the finding names both ids.",
    script: script([
      { ...at(0), op: "add", id: 1, kind: "mac", identity: "other", network: "lan" },
      { ...at(5), op: "add", id: 2, kind: "tab", identity: "stable", network: "lan" },
      { ...at(20), op: "beacon", id: 1 },
    ]),
    untilMs: 60_000,
  },
];

/** Returns the scenario with that name. */
export function scenarioNamed(name: string): Scenario | undefined {
  return SCENARIOS.find((scenario) => scenario.name === name);
}
