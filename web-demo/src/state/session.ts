import { diffRows, PresenceClient, rowName, type Explanation, type FindingReport, type PresenceError, type RosterSnapshot } from "openclaw-presence";

import type { Announcer } from "../lib/announce.js";
import { withoutDirections } from "../lib/format.js";
import { Store } from "../lib/store.js";
import { DEFAULT_OPTIONS } from "./view-options.js";
import { Health } from "./health.js";
import { History } from "./history.js";
import { IdentityLog } from "./identity-log.js";
import { MemoryFindings } from "./memory-findings.js";
import { addressOf, normalizeTarget, type Target } from "./target.js";
import { Timeline, type TimelineEvent } from "./timeline.js";

/** The displayed state of the connection to a gateway. */
export interface Live {
  readonly target: Target | undefined;
  /** Absent if the client was never connected. */
  readonly roster: RosterSnapshot | undefined;
  /** From the gateway's memory, else derived from its list. */
  readonly findings: readonly FindingReport[];
  /** Number of findings omitted from the gateway's answer for lack of room. */
  readonly leftOut: number;
  /** This tab's id; absent without one, and while not connected. */
  readonly instanceId: string | undefined;
  /** Whether the tab keeps its identity across connections. */
  readonly isStable: boolean;
  readonly hasBeacons: boolean;
  /** Problems that do not end the connection, newest last. */
  readonly notices: readonly PresenceError[];
}

const NOTHING: Live = {
  target: undefined,
  roster: undefined,
  findings: [],
  leftOut: 0,
  instanceId: undefined,
  isStable: true,
  hasBeacons: true,
  notices: [],
};

/** A connection of this page to a gateway, with the data about that gateway. */
export class Session {
  readonly live = new Store<Live>(NOTHING);
  readonly history = new History();
  readonly identities = new IdentityLog();
  readonly timeline = new Timeline();
  /** Counters of the connections to the current gateway. */
  health = new Health();
  /** Maximum ages of Active and Idle rows, in ms. */
  thresholds = { activeMs: DEFAULT_OPTIONS.activeS * 1_000, idleMs: DEFAULT_OPTIONS.idleS * 1_000 };
  /** When a waiting connection is tried again, on the clock of `performance.now`. */
  retryAtMs = 0;
  /** An address from a link. The user confirms it before the page connects. */
  readonly suggested: string | undefined;
  readonly #announcer: Pick<Announcer, "later">;
  readonly #memory = new MemoryFindings(() => this.#set(this.#find()));
  #client: PresenceClient | undefined;
  #nextFindMs = 0;
  #findTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(announcer: Pick<Announcer, "later">, suggested?: string) {
    this.#announcer = announcer;
    this.suggested = suggested;
  }

  /** Address of the gateway without its secret; empty without a gateway. */
  get address(): string {
    return addressOf(this.live.value.target?.url ?? this.suggested ?? "");
  }

  /** The address without its scheme. */
  get place(): string {
    return this.address.replace(/^\w+:\/\//, "");
  }

  /** Name of the gateway: its own row's name, else its address. */
  get name(): string {
    const self = this.live.value.roster?.rows.find(({ isSelf }) => isSelf);
    return self ? withoutDirections(rowName(self)) : this.place;
  }

  /**
   * Explains a row. Each connection replaces this function, so that an open row is explained again: without a connection
   * it was explained from the list alone, which has less detail than the gateway's memory.
   */
  explain: (key: string) => Promise<Explanation | undefined> = () => Promise.resolve(undefined);

  /** The client, for views that send requests. */
  get client(): PresenceClient | undefined {
    return this.#client;
  }

  /**
   * Connects to a gateway, replacing the previous connection.
   *
   * @throws {PresenceError} if the address is invalid.
   */
  connect(given: Target): void {
    const target = normalizeTarget(given);
    const health = new Health();
    const client = this.#makeClient(target, health);
    this.#leave();
    this.health = health;
    this.#set({ target });
    this.timeline.open(addressOf(target.url));
    this.#follow(client);
  }

  /** Sets the maximum ages. They are an option of a client, so a new client connects; the rows stay. */
  setThresholds(activeMs: number, idleMs: number): void {
    if (activeMs === this.thresholds.activeMs && idleMs === this.thresholds.idleMs) return;
    this.thresholds = { activeMs, idleMs };
    const { target } = this.live.value;
    if (!target) return;
    this.#client?.close();
    this.#follow(this.#makeClient(target, this.health));
  }

  #makeClient(target: Target, health: Health): PresenceClient {
    const { isStable, hasBeacons } = this.live.value;
    return new PresenceClient({
      WebSocket: health.WebSocket,
      url: target.url,
      token: target.secret?.kind === "token" ? target.secret.text : undefined,
      password: target.secret?.kind === "password" ? target.secret.text : undefined,
      beacons: hasBeacons,
      thresholds: this.thresholds,
      ...identity(isStable),
    });
  }

  /** Starts a client. The previous client's rows are shown until it has a list; they are not reported as news. */
  #follow(client: PresenceClient): void {
    this.#client = client;
    const ask = async (key: string) => client.explain(key);
    this.explain = ask;
    const before = this.live.value.roster;
    const report = (kind: TimelineEvent["kind"], news: string) => {
      this.timeline.add(kind, news);
      this.#announcer.later(news);
    };
    let isContinued = before?.hasList === true;
    let [wasLive, hadList] = [false, false];
    client.addEventListener("roster", ({ roster, diff }) => {
      if (isContinued && before && !roster.hasList) {
        const { connection, isOffline } = roster;
        return this.#set({ roster: { ...before, connection, isOffline } });
      }
      this.history.record(isContinued && before ? diffRows(before.rows, roster.rows) : diff, Date.now());
      isContinued = false;
      hadList = roster.hasList;
      this.#memory.look(client);
      this.#set({ roster, ...this.#find() });
    });
    // Clients that return after a restart of the gateway are not reported.
    client.onJoin((row) => report("join", `${withoutDirections(rowName(row))} joined`));
    client.onLeave((row) => report("leave", `${withoutDirections(rowName(row))} left`));
    client.addEventListener("connection", ({ connection }) => {
      if (connection.phase === "waiting") this.retryAtMs = performance.now() + connection.retryInMs;
      if (connection.phase === "waiting" && wasLive) report("connection", "Connection lost, trying again");
      if (connection.phase === "live" && hadList) report("connection", "Connected again");
      if (connection.phase === "refused") report("connection", `The gateway refuses this page: ${connection.error.message}`);
      if (connection.phase === "live" && !wasLive) this.explain = (key) => ask(key);
      wasLive = connection.phase === "live";
      this.#memory.look(client);
      this.identities.handleState(connection, client.instanceId, Date.now());
      this.#set({ instanceId: client.instanceId });
    });
    client.addEventListener("notice", ({ error }) => {
      const others = this.live.value.notices.filter(({ code }) => code !== error.code);
      this.#set({ notices: [...others, error] });
    });
    client.start();
  }

  /** Disconnects and deletes the gateway's secret. */
  disconnect(): void {
    this.#leave();
    this.timeline.close();
  }

  #leave(): void {
    clearTimeout(this.#findTimer);
    this.#findTimer = undefined;
    this.#nextFindMs = 0;
    this.#memory.leave();
    this.#client?.close();
    this.#client = undefined;
    this.history.clear();
    this.identities.clear();
    const { isStable, hasBeacons } = this.live.value;
    this.live.set({ ...NOTHING, isStable, hasBeacons });
  }

  /** Reconnects immediately instead of waiting; also after a refusal. */
  retry(): void {
    this.#client?.start();
  }

  /** Reconnects with or without a stable identity. Beacons without an id would add a row, so they are off then. */
  setStable(isStable: boolean): void {
    this.#set({ isStable, hasBeacons: isStable, notices: [] });
    this.#client?.reconnect({ ...identity(isStable), beacons: isStable });
  }

  /** Reconnects with or without beacons. */
  setBeacons(hasBeacons: boolean): void {
    this.#set({ hasBeacons, notices: [] });
    this.#client?.reconnect({ beacons: hasBeacons });
  }

  /** Computing findings takes longer for longer lists; at most a tenth of the time is spent on it. */
  #find(): Pick<Live, "findings" | "leftOut"> {
    const { found, leftOut } = this.#memory;
    if (found) return { findings: found, leftOut };
    const before = this.live.value.findings;
    const startMs = performance.now();
    if (startMs < this.#nextFindMs) {
      this.#findTimer ??= setTimeout(() => this.#findLater(), this.#nextFindMs - startMs);
      return { findings: before, leftOut };
    }
    const findings = this.#client?.findings() ?? [];
    const isSame = JSON.stringify(findings) === JSON.stringify(before);
    const endMs = performance.now();
    this.#nextFindMs = endMs + 9 * (endMs - startMs);
    return { findings: isSame ? before : findings, leftOut };
  }

  #findLater(): void {
    this.#findTimer = undefined;
    this.#set(this.#find());
  }

  #set(change: Partial<Live>): void {
    this.live.set({ ...this.live.value, ...change });
  }
}

/** Returns the options for a stable identity, or for a new one at each connection. */
function identity(isStable: boolean) {
  return isStable ? { instanceId: undefined, deviceKey: undefined } : ({ instanceId: false, deviceKey: false } as const);
}
