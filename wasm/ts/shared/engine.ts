import { systemClock, type Clock } from "../clock.js";
import { CONNECTING, Connection } from "../connection.js";
import { Deadline } from "../deadline.js";
import { Engine } from "../engine.js";
import { freed, PresenceError, stopped } from "../errors.js";
import { HostKeeper, weakly, type EngineHost, type HostRef } from "../host.js";
import { InputMonitor, type InputListener } from "../input.js";
import { sharedInstanceId } from "../instance-id.js";
import type { ClientEngine } from "../make-engine.js";
import type { Explanation } from "../methods.js";
import type { PresenceClientOptions, ReconnectOptions } from "../options.js";
import { randomId } from "../random.js";
import { EMPTY_SNAPSHOT } from "../snapshot.js";
import { gatewayAddress, webSocketClass } from "../socket.js";
import type { ConnectionState, Finding, RosterSnapshot } from "../types.js";
import { RemoteCalls, type UnsentCall } from "./remote-calls.js";
import { Election } from "./election.js";
import { connectionOfPlain, errorOfPlain, MESSAGES_VERSION, plainError, type Call, type Message, type RosterMessage } from "./messages.js";
import { findingsOf, FollowedRoster, RosterPublisher } from "./roster-sync.js";
import type { SharedPlatform } from "./platform.js";
import { PromptClock } from "./prompt-clock.js";
import { asRunning, MAX_UNANSWERED, snapshotOf, TICK_MS, VISIBLE_MS, type Lead } from "./running.js";
import { CallServer } from "./call-server.js";

/**
 * A connection that all tabs of an origin share. One tab, the leader, has an {@link Engine} and sends changes to the
 * other tabs, which send their input and requests to it.
 */
export class SharedEngine implements ClientEngine {
  readonly #id = randomId();
  readonly #keeper: HostKeeper;
  readonly #platform: SharedPlatform;
  readonly #clock: PromptClock;
  readonly #connection = new Connection();
  readonly #calls: RemoteCalls;
  readonly #tick: Deadline;
  #tickMs = Number.POSITIVE_INFINITY;
  #options: PresenceClientOptions;
  #isRunning = false;
  /** Whether a reconnect is in progress, during which it briefly does not run. */
  #isRestarting = false;
  #isFreed = false;
  #isWatched = false;

  #snapshot: RosterSnapshot = EMPTY_SNAPSHOT;
  #announced: RosterSnapshot = EMPTY_SNAPSHOT;
  #instanceId: string | undefined;
  #channel: BroadcastChannel | undefined;
  #election: Election | undefined;
  #input: InputMonitor | undefined;

  /** Present in the leader. */
  #lead: Lead | undefined;
  #page: InputListener | undefined;
  #otherVisibleMs = Number.NEGATIVE_INFINITY;

  // State of the other tabs.
  #followed = new FollowedRoster([]);
  #unanswered = 0;

  constructor(options: PresenceClientOptions, host: HostRef, platform: SharedPlatform) {
    gatewayAddress(options.url);
    this.#options = options;
    this.#keeper = new HostKeeper(host);
    this.#platform = platform;
    const clock: Clock = options.clock ?? systemClock;
    this.#clock = new PromptClock(clock);
    this.#calls = new RemoteCalls(this.#id, clock);
    this.#tick = new Deadline(clock, () => this.#look());
  }

  get connection(): ConnectionState {
    return this.#connection.state;
  }

  get instanceId(): string | undefined {
    return this.#instanceId;
  }

  get snapshot(): RosterSnapshot {
    return this.#lead ? snapshotOf(this.#lead.engine) : this.#snapshot;
  }

  // ---- running ----------------------------------------------------------------------------------

  start(): void {
    this.#checkFreed();
    if (this.#isRunning) {
      const { phase } = this.connection;
      if (phase !== "refused" && phase !== "waiting") return;
      return this.#lead ? this.#lead.engine.start() : this.#ask("start");
    }
    // Checked here, so that the caller receives the error.
    webSocketClass(this.#options.WebSocket);
    this.#isRunning = true;
    this.#keepHost();
    this.#open();
    this.#beginAttempt();
    // A listener may have stopped the client.
    if (this.#isRunning) this.#election?.queue();
    this.#sayHere();
  }

  #open(): void {
    const { name, BroadcastChannel: Channel, locks, page } = this.#platform;
    // Names of locks must not begin with a dash.
    const group = `shared:${name}:${MESSAGES_VERSION}:${gatewayAddress(this.#options.url).url}`;
    this.#channel = new Channel(group);
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => this.#receive(data);
    this.#followed = new FollowedRoster(this.#snapshot.rows);
    this.#unanswered = 0;
    this.#election = new Election(locks, group, { lead: () => this.#takeLead(), loseLead: () => this.#loseLead() });
    this.#input = new InputMonitor(page, this.#clock, {
      input: () => (this.#page ? this.#page.input() : this.#post({ type: "input" })),
      visibility: () => this.#sayHere(),
      online: () => (this.#page ? this.#page.online() : this.#sayHere()),
    });
  }

  stop(): void {
    if (!this.#isRunning && !this.#isRestarting) return;
    this.#isRestarting = false;
    this.#connection.reject(stopped());
    this.#leave();
  }

  /** Leaves the shared connection. */
  #leave(): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#input?.stop();
    this.#input = undefined;
    this.#setTick(Number.POSITIVE_INFINITY);
    this.#dropEngine();
    // The next leader connects when this one is gone.
    this.#election?.withdraw();
    this.#channel?.close();
    this.#channel = undefined;
    this.#calls.rejectAll(stopped());
    this.#instanceId = undefined;
    this.#enter(EMPTY_SNAPSHOT.connection);
    // Nothing ages rows while the client is stopped, so none are shown.
    this.#show(EMPTY_SNAPSHOT);
    this.#keepHost();
  }

  reconnect(change: ReconnectOptions): void {
    this.#checkFreed();
    const options = { ...this.#options, ...change };
    const isOther = gatewayAddress(options.url).url !== gatewayAddress(this.#options.url).url;
    this.#options = options;
    if (!this.#isRunning) return this.start();
    if (isOther) {
      // Calls of `connected` keep waiting.
      this.#isRestarting = true;
      this.#leave();
      this.#snapshot = EMPTY_SNAPSHOT;
      // A listener may have stopped or closed the client.
      const isStopped = !this.#isRestarting;
      this.#isRestarting = false;
      if (!isStopped) this.start();
    } else if (this.#lead) this.#lead.engine.reconnect(change);
    else if (Object.keys(change).length > 0) {
      // Options of this tab require a connection of this tab.
      this.#election?.takeOver();
      this.#beginAttempt();
    } else this.#ask("reconnect");
  }

  free(): void {
    if (this.#isFreed) return;
    this.#isFreed = true;
    this.stop();
    this.#connection.reject(freed("client"));
  }

  async connected(signal: AbortSignal | undefined): Promise<void> {
    this.#checkFreed();
    return this.#connection.live(signal);
  }

  async request(method: string, params: unknown): Promise<unknown> {
    this.#checkFreed();
    return this.#lead ? this.#lead.engine.request(method, params) : this.#call("request", method, params);
  }

  async beacon(reason: string): Promise<void> {
    this.#checkFreed();
    await (this.#lead ? this.#lead.engine.beacon(reason) : this.#call("beacon", reason));
  }

  findings(): readonly Finding[] {
    return this.#lead?.engine.findings() ?? findingsOf(this.#snapshot.rows);
  }

  async explain(key: string): Promise<Explanation | undefined> {
    this.#checkFreed();
    return (await (this.#lead ? this.#lead.engine.explain(key) : this.#call("explain", key))) as Explanation | undefined;
  }

  setListened(isListened: boolean, isWatched: boolean): void {
    this.#keeper.setListened(isListened);
    if (isWatched && !this.#isWatched) this.#announced = this.snapshot;
    this.#isWatched = isWatched;
    this.#keepHost();
  }

  // ---- leading ----------------------------------------------------------------------------------

  readonly #host: EngineHost = {
    handleConnection: (connection) => {
      if (this.#lead) this.#enter(asRunning(connection));
    },
    handleSnapshot: () => {
      if (!this.#lead) return;
      const { engine, publisher } = this.#lead;
      // A new leader keeps the instance, also before it is connected.
      this.#instanceId = engine.instanceId ?? this.#instanceId;
      const roster = snapshotOf(engine);
      // First, because a listener of this tab may stop it.
      this.#post(publisher.publish(roster, this.#instanceId));
      this.#show(roster);
    },
    handleNotice: (error) => {
      this.#post({ type: "notice", error: plainError(error) });
      this.#keeper.host?.handleNotice(error);
    },
    handleShutdown: (reason, restartExpectedMs) => {
      this.#post({ type: "shutdown", reason, restartExpectedMs });
      this.#keeper.host?.handleShutdown(reason, restartExpectedMs);
    },
  };

  #takeLead(): void {
    this.#calls.rejectAll(new PresenceError("CLOSED", "another tab took over the connection"));
    this.#otherVisibleMs = Number.NEGATIVE_INFINITY;
    const { instanceId = sharedInstanceId(this.#platform.name) } = this.#options;
    const watchPage = (listener: InputListener) => {
      this.#page = listener;
      return { isVisible: this.#isAnyVisible, stop: () => (this.#page = undefined) };
    };
    const engine = new Engine({ ...this.#options, instanceId, clock: this.#clock }, weakly(this.#host), { watchPage, before: this.#snapshot });
    const publisher = new RosterPublisher(this.#id);
    this.#lead = { engine, publisher, calls: new CallServer(engine, this.#id, this.#clock, (answer) => this.#post(answer)) };
    engine.setListened(true, true);
    engine.start();
    // The other tabs need to know the new leader, even if its roster has not changed.
    if (publisher.seq === 0) this.#host.handleSnapshot();
    this.#arm();
  }

  /** Called when another tab leads now. */
  #loseLead(): void {
    this.#dropEngine();
    this.#followed = new FollowedRoster(this.#snapshot.rows);
    this.#election?.queue();
    this.#sayHere();
  }

  #dropEngine(): void {
    if (!this.#lead) return;
    const { engine } = this.#lead;
    this.#snapshot = snapshotOf(engine);
    // Later notifications of it are not about the tabs' connection.
    this.#lead = this.#page = undefined;
    engine.free();
  }

  get #isAnyVisible(): boolean {
    return this.#input?.isVisible === true || this.#clock.ageMs() - this.#otherVisibleMs < VISIBLE_MS;
  }

  // ---- the other tabs ---------------------------------------------------------------------------

  #call(act: Call["act"], name: string, params?: unknown): Promise<unknown> {
    // Explanations need only the list.
    const isReady = act === "explain" ? this.#isRunning && this.#followed.leader : this.connection.phase === "live";
    if (!isReady) return Promise.reject(new PresenceError("CLOSED", "not connected"));
    const answer = this.#calls.call(act, name, params, (call) => this.#postCall(call));
    this.#keepHost();
    this.#arm();
    return answer.finally(() => this.#keepHost());
  }

  /** Requests a connection from the leader. The result is the state in its next message, which it sends in any case. */
  #ask(act: "start" | "reconnect"): void {
    this.#postCall({ type: "call", from: this.#id, id: 0, act, name: "" });
    this.#followed.needsWhole = true;
    this.#beginAttempt();
    this.#sayHere();
  }

  /** Replaces the result of the previous attempt. */
  #beginAttempt(): void {
    this.#enter(CONNECTING);
    // A listener may have stopped the client.
    if (this.#isRunning) this.#show({ ...this.#snapshot, connection: CONNECTING });
  }

  #postCall(call: UnsentCall): void {
    this.#post({ ...call, leader: this.#followed.leader, atMs: this.#clock.wallMs() });
  }

  #sayHere(): void {
    if (!this.#input) return;
    if (this.#lead) this.#page?.visibility(this.#isAnyVisible);
    else this.#post({ type: "here", isVisible: this.#input.isVisible, needsWhole: this.#followed.needsWhole });
    this.#arm();
  }

  /** Checks periodically whether the leader responds or, in the leader, whether any tab is visible. */
  #arm(): void {
    const isNeeded = this.#lead ? this.#otherVisibleMs > Number.NEGATIVE_INFINITY : this.#input?.isVisible || this.#calls.size > 0;
    if (!this.#isRunning || !isNeeded) this.#setTick(Number.POSITIVE_INFINITY);
    else if (this.#tickMs === Number.POSITIVE_INFINITY) this.#setTick(this.#clock.ageMs() + TICK_MS);
  }

  #setTick(dueMs: number): void {
    this.#tickMs = dueMs;
    this.#tick.set(dueMs);
  }

  #look(): void {
    this.#tickMs = Number.POSITIVE_INFINITY;
    if (this.#lead) {
      if (!this.#isAnyVisible) this.#otherVisibleMs = Number.NEGATIVE_INFINITY;
    } else if (this.#unanswered >= MAX_UNANSWERED) {
      this.#unanswered = 0;
      this.#election?.takeOver();
    } else this.#unanswered += 1;
    this.#sayHere();
  }

  #followRoster(message: RosterMessage): void {
    // The message is about the connection that this tab replaces.
    if (this.#election?.isTakingOver) return;
    const isOther = this.#followed.leader !== message.leader;
    const roster = this.#followed.apply(message, connectionOfPlain(message.connection));
    if (!roster) return this.#followed.needsWhole ? this.#sayHere() : undefined;
    if (isOther) this.#calls.rejectAll(new PresenceError("CLOSED", "another tab took over the connection"));
    this.#instanceId = message.instanceId;
    this.#snapshot = roster;
    this.#enter(roster.connection);
    // A listener may have stopped the client.
    if (this.#isRunning) this.#show({ ...roster, connection: this.connection });
  }

  // ---- messages ---------------------------------------------------------------------------------

  #post(message: Message): void {
    this.#channel?.postMessage(message);
  }

  #receive(message: Message): void {
    if (this.#lead) return this.#hear(this.#lead, message);
    this.#unanswered = message.type === "alive" || message.type === "roster" ? 0 : this.#unanswered;
    switch (message.type) {
      case "alive":
        this.#followed.needsWhole ||= this.#followed.isBehind(message.leader, message.seq);
        if (this.#followed.needsWhole) this.#sayHere();
        return;
      case "roster":
        return this.#followRoster(message);
      case "answer":
        return message.to === this.#id ? this.#calls.answer(message.id, message.payload, message.error) : undefined;
      case "notice":
        return void this.#keeper.host?.handleNotice(errorOfPlain(message.error));
      case "shutdown":
        return void this.#keeper.host?.handleShutdown(message.reason, message.restartExpectedMs);
    }
  }

  /** Handles a message as the leader. */
  #hear({ publisher, calls }: Lead, message: Message): void {
    switch (message.type) {
      case "here":
        if (message.isVisible) this.#otherVisibleMs = this.#clock.ageMs();
        if (message.needsWhole) this.#post(publisher.whole());
        else this.#post({ type: "alive", leader: this.#id, seq: publisher.seq });
        // Last, because a listener of this tab may stop it.
        this.#clock.fireDue();
        return this.#sayHere();
      case "input":
        this.#otherVisibleMs = this.#clock.ageMs();
        return this.#page?.input();
      case "call":
        return void calls.serve(message);
    }
  }

  // ---- notifications of the app -----------------------------------------------------------------

  #enter(state: ConnectionState): void {
    if (!this.#connection.enter(state)) return;
    this.#keeper.host?.handleConnection(state);
  }

  #show(roster: RosterSnapshot): void {
    this.#snapshot = Object.freeze(roster);
    if (!this.#isWatched || this.snapshot === this.#announced) return;
    this.#announced = this.snapshot;
    this.#keeper.host?.handleSnapshot();
  }

  #keepHost(): void {
    this.#keeper.update(this.#isRunning, this.#calls.size > 0);
  }

  #checkFreed(): void {
    if (this.#isFreed) throw freed("client");
  }
}
