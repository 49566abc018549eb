import { PresenceClient, ready, rowName, VirtualClock, type Explanation, type FindingReport, type GatewayMethods, type PresenceRow } from "openclaw-presence";

import { hostOf, IDENTITIES, KINDS, type Identity, type KindName, type Network } from "./kinds.js";
import { observe, type RowNews } from "./observer.js";
import { BOUNDS, type Action, type Script } from "./script.js";
import { SimClient } from "./sim-client.js";
import { SimulatedGateway, simulatorReady } from "./simulator.js";

/** An event: an action, or its effect on the roster. */
export interface Step {
  readonly atMs: number;
  readonly text: string;
  /** Absent for effects of earlier actions. */
  readonly action?: Action;
}

/** Maximum number of stored steps. */
const MAX_STEPS = 400;
/** Maximum number of turns for a connection or a response; each takes only a few. */
const MAX_TURNS = 100;

const SELF = {
  host: "gateway.lan",
  ip: "192.168.1.5",
  version: "0.1.0",
  platform: "linux 6.18.4",
  deviceFamily: "Linux",
  modelIdentifier: "Raspberry Pi 5",
  mode: "gateway",
  reason: "self",
};

/** A gateway, its clients, and an observing client: all use the real core, on a virtual clock. */
export class World {
  readonly #clock = new VirtualClock();
  readonly #gateway: SimulatedGateway;
  readonly #watcher: PresenceClient;
  readonly #clients = new Map<number, SimClient>();
  readonly #steps: Step[] = [];
  #remembered: GatewayMethods["presence.explain"]["result"] | undefined;

  private constructor({ ttlMs, cap }: Script) {
    const clock = this.#clock;
    this.#gateway = new SimulatedGateway({ clock, ttlMs, maxEntries: cap, self: SELF });
    observe(this.#gateway, (news) => this.#note(news));
    this.#watcher = new PresenceClient({
      url: "ws://playground",
      WebSocket: this.#gateway.WebSocket,
      clock,
      client: { id: "cli", mode: "cli" },
      instanceId: false,
      deviceKey: false,
      beacons: false,
      seed: 1,
    });
    this.#watcher.addEventListener("roster", ({ diff }) => {
      for (const { row, fields } of diff.changed) {
        const text = row.status === "Left" ? `${rowName(row)} left` : `${rowName(row)} is ${row.status}`;
        if (fields.includes("status")) this.#step({ atMs: this.nowMs, text });
      }
    });
  }

  /** Creates a world at its start. */
  static async create(script: Script): Promise<World> {
    await Promise.all([ready(), simulatorReady()]);
    const world = new World(script);
    world.#watcher.start();
    await world.#until(() => world.#watcher.connection.phase === "live");
    return world;
  }

  get nowMs(): number {
    return this.#clock.ageMs();
  }

  get rows(): readonly PresenceRow[] {
    return this.#watcher.roster.rows;
  }

  /** The gateway's findings at the last request; before that, those of its list. */
  get findings(): readonly FindingReport[] {
    return this.#remembered?.findings ?? this.#watcher.findings();
  }

  /** Number of findings omitted from the gateway's answer for lack of room. */
  get leftOut(): number {
    return this.#remembered?.findingsLeftOut ?? 0;
  }

  get clients(): readonly SimClient[] {
    return [...this.#clients.values()];
  }

  /** Newest last. */
  get steps(): readonly Step[] {
    return this.#steps;
  }

  /** Advances time; timers fire when they are due. */
  async advanceTo(ms: number): Promise<void> {
    await this.#clock.advance(Math.max(0, ms - this.nowMs));
  }

  /** Requests the gateway's findings. No other action is allowed until it answers. */
  async find(): Promise<void> {
    this.#remembered = await this.#answer(this.#watcher.request("presence.explain", undefined));
  }

  /** Requests the gateway's explanation of a row. No other action is allowed until it answers. */
  explain(key: string): Promise<Explanation | undefined> {
    return this.#answer(this.#watcher.explain(key));
  }

  async #answer<T>(asked: Promise<T>): Promise<T | undefined> {
    let isDone = false;
    let answer: T | undefined;
    const done = () => (isDone = true);
    void asked.then((given) => (answer = given)).then(done, done);
    await this.#until(() => isDone);
    return answer;
  }

  /** Executes all work that is due, without advancing time. */
  async #until(isDone: () => boolean): Promise<void> {
    for (let turn = 0; turn < MAX_TURNS && !isDone(); turn += 1) await this.#clock.advance(0);
  }

  /** Executes an action now. */
  act(action: Action): void {
    const text = sentence(action, this.#clients.get(action.id));
    if (text !== undefined) this.#step({ atMs: this.nowMs, text, action });
    switch (action.op) {
      case "add":
        return this.#add(action.id, action.kind, action.identity, action.network);
      case "crowd":
        for (let index = 0; index < action.size; index += 1) this.#add(1_000 + action.id * BOUNDS.size.most + index, CROWD[index % CROWD.length] ?? "node", "stable", "lan", true);
        return;
      case "reconnect":
        return this.#clients.get(action.id)?.reconnect(action.network);
      default:
        return this.#clients.get(action.id)?.[action.op]();
    }
  }

  free(): void {
    this.#watcher.close();
    this.#gateway.free();
  }

  #add(id: number, kind: KindName, identity: Identity, network: Network, isBlind = false): void {
    if (this.#clients.has(id)) return;
    this.#clients.set(id, new SimClient(id, kind, identity, network, this.#gateway, this.#clock, isBlind));
  }

  #note({ kind, name, reason }: RowNews): void {
    const text = {
      appears: `Row appears: ${name}`,
      says: `Row of ${name} written: ${reason}`,
      leaves: `Row of ${name} removed: ${reason}`,
    }[kind];
    this.#step({ atMs: this.nowMs, text });
  }

  #step(step: Step): void {
    this.#steps.push(step);
    if (this.#steps.length > MAX_STEPS) this.#steps.shift();
  }
}

const CROWD: readonly KindName[] = ["node", "tab", "mac"];

/** Describes an action in words; `undefined` if there is no such client. */
export function sentence(action: Action, client?: { readonly host: string }): string | undefined {
  if (action.op === "add") {
    const { kind, identity, network, id } = action;
    const how = network === "tunnel" ? " through a tunnel" : "";
    const who = identity === "stable" ? "" : `, ${IDENTITIES[identity]}`;
    return `${KINDS[kind].label} ${hostOf(kind, id)} connects${how}${who}`;
  }
  if (action.op === "crowd") return `${action.size} clients connect`;
  const host = client?.host;
  if (host === undefined) return undefined;
  switch (action.op) {
    case "beacon":
      return `${host} is used and sends a beacon`;
    case "drop":
      return `${host} loses its network`;
    case "sleep":
      return `${host} falls asleep`;
    case "wake":
      return `${host} wakes up`;
    case "reconnect":
      return `${host} comes back${action.network === "tunnel" ? " through a tunnel" : ""}`;
  }
}
