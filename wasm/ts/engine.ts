import { systemClock, type Clock } from "./clock.js";
import { CONNECTING, Connection, connectionOf } from "./connection.js";
import { Deadline } from "./deadline.js";
import { asPresenceError, errorOf, freed, internal, isTrap, PresenceError } from "./errors.js";
import type { ClientEvent, ClientOutput } from "./glue.js";
import { withMemory } from "./explain.js";
import { HostKeeper, type HostRef } from "./host.js";
import { takeIdentity, type Identity } from "./identity.js";
import { watchOwnPage, type InputListener, type PageWatch } from "./input.js";
import { ready } from "./load/core.js";
import { Machine } from "./machine.js";
import type { Explanation } from "./methods.js";
import type { PresenceClientOptions, ReconnectOptions } from "./options.js";
import { EMPTY_SNAPSHOT, SnapshotKeeper } from "./snapshot.js";
import { DEFAULT_URL, gatewayAddress, Socket, webSocketClass, type Address } from "./socket.js";
import type { ConnectionState, Finding, RosterSnapshot } from "./types.js";
import { Waiters } from "./waiters.js";

/** What an engine has from one that shares it between tabs. */
export interface EngineParts {
  /** Watches the pages that are this client; by default the page this runs in. */
  readonly watchPage?: (listener: InputListener) => PageWatch | undefined;
  /** The roster that is shown so far. */
  readonly before?: RosterSnapshot;
}

/**
 * The shell around the core's client machine: sockets, timers, clocks, ids and keys. It does what the machine wants
 * and knows no rule of presence.
 *
 * Sockets and timers hold the engine; the engine holds its host weakly, so that a client that an app forgets can be
 * collected, which ends the engine too. {@link HostKeeper} decides what keeps a forgotten client alive while it runs.
 */
export class Engine {
  readonly #keeper: HostKeeper;
  #isWatched = false;

  #options: PresenceClientOptions;
  #address: Address;
  readonly #clock: Clock;

  #isRunning = false;
  #isFreed = false;
  /** Counts starts and stops: what was begun before the last of them is void. */
  #epoch = 0;
  #identity: Identity | undefined;
  #machine: Machine | undefined;
  #socket: Socket | undefined;
  #page: PageWatch | undefined;
  readonly #watchPage: (listener: InputListener) => PageWatch | undefined;
  readonly #answers = new Waiters<number>();

  readonly #connection = new Connection();
  readonly #snapshots: SnapshotKeeper;
  /** The snapshot that the host was last called for. */
  #announced: RosterSnapshot;

  #isPumping = false;
  readonly #deadline: Deadline;

  constructor(options: PresenceClientOptions, host: HostRef, { watchPage, before = EMPTY_SNAPSHOT }: EngineParts = {}) {
    this.#keeper = new HostKeeper(host);
    this.#options = options;
    this.#address = gatewayAddress(options.url ?? DEFAULT_URL);
    this.#clock = options.clock ?? systemClock;
    this.#watchPage = watchPage ?? ((listener) => watchOwnPage(listener, this.#clock));
    this.#snapshots = new SnapshotKeeper(before);
    this.#announced = before;
    this.#deadline = new Deadline(this.#clock, () => this.#use((machine) => machine.advance()));
  }

  /** How the connection is. */
  get connection(): ConnectionState {
    return this.#connection.state;
  }

  /** The id in use; absent while stopped, and without one. */
  get instanceId(): string | undefined {
    return this.#identity?.instanceId;
  }

  /** The roster; the same object while nothing changed. */
  get snapshot(): RosterSnapshot {
    return this.#renewed();
  }

  /** Connects, and from then on keeps connected. */
  start(): void {
    this.#checkFreed();
    const { phase } = this.connection;
    if (this.#isRunning && phase !== "refused" && phase !== "waiting") return;
    // Now and not later: who calls gets the error.
    webSocketClass(this.#options.WebSocket);
    this.#isRunning = true;
    this.#keepHost();
    if (this.#machine && this.#identity) this.#use((machine) => machine.start());
    else void this.#prepare();
  }

  /** Disconnects. The roster stays, and ages. */
  stop(): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#epoch += 1;
    this.#guard((machine) => machine.stop());
    this.#releaseIdentity();
    this.#connection.reject(new PresenceError("CLOSED", "the client was stopped"));
    this.#enter(EMPTY_SNAPSHOT.connection);
    this.#pump();
    this.#keepHost();
  }

  /** Connects anew, as another if it is told so. */
  reconnect(change: ReconnectOptions): void {
    this.#checkFreed();
    const options = { ...this.#options, ...change };
    const address = gatewayAddress(options.url ?? DEFAULT_URL);
    this.stop();
    if (Object.keys(change).length > 0) this.#dropMachine();
    // Rows of another gateway are no rows of this one.
    if (address.url !== this.#address.url) this.#snapshots.forget();
    this.#options = options;
    this.#address = address;
    this.start();
  }

  /** Stops and gives everything back. */
  free(): void {
    if (this.#isFreed) return;
    this.stop();
    this.#isFreed = true;
    this.#connection.reject(freed("client"));
    // The roster as it was last can still be read.
    this.#renewed();
    this.#dropMachine();
    this.#setTimer();
  }

  /** Fulfilled once it is live; rejected when the gateway refuses it, or it is stopped. */
  async connected(waiter: symbol): Promise<void> {
    this.#checkFreed();
    await this.#connection.live(waiter);
  }

  /** Ends a wait for {@link connected}. */
  forgetConnected(waiter: symbol): void {
    this.#connection.forget(waiter);
  }

  /** Calls a method of the gateway. */
  request(method: string, params: unknown): Promise<unknown> {
    return this.#ask((machine) => this.#answers.wait(machine.request(method, params)));
  }

  /** Tells about this client now. */
  async beacon(reason: string): Promise<void> {
    await this.#ask((machine) => this.#answers.wait(machine.beacon(reason)));
  }

  /** Which rows of the gateway's list look like one client. */
  findings(): readonly Finding[] {
    return this.#guard((machine) => machine.findings()) ?? [];
  }

  /** Why a row is as it is. */
  explain(key: string): Promise<Explanation | undefined> {
    return withMemory(this.#guard((machine) => machine.explain(key)), this);
  }

  /** Sets whether the app listens to anything, which keeps the client alive, and to the roster, which keeps that up to date. */
  setListened(isListened: boolean, isWatched: boolean): void {
    this.#keeper.setListened(isListened);
    this.#keepHost();
    if (isWatched === this.#isWatched) return;
    // Whoever begins to watch reads the roster by itself.
    if (isWatched) this.#announced = this.#renewed();
    this.#isWatched = isWatched;
    this.#use((machine) => machine.setWatched(isWatched));
  }

  // ---- identity and machine ---------------------------------------------------------------------

  async #prepare(): Promise<void> {
    this.#epoch += 1;
    const epoch = this.#epoch;
    this.#enter(CONNECTING);
    this.#settle();
    try {
      await ready();
      const identity = await takeIdentity(this.#options);
      if (epoch !== this.#epoch) return identity.release();
      this.#begin(identity);
    } catch (error) {
      if (epoch !== this.#epoch) return;
      this.#releaseIdentity();
      this.#enter(Object.freeze({ phase: "refused", error: isTrap(error) ? internal(error) : asPresenceError(error) }));
      this.#settle();
    }
  }

  #begin(identity: Identity): void {
    this.#identity = identity;
    // Another tab may have taken the id while this one was stopped.
    if (!this.#machine?.isFor(identity)) {
      this.#dropMachine();
      const { token, password } = this.#options;
      const options = { ...this.#options, token: token ?? (password === undefined ? this.#address.token : undefined) };
      this.#machine = new Machine(options, identity, this.#clock, this.#snapshots.current.rows);
    }
    this.#machine.setWatched(this.#isWatched);
    this.#page = this.#watchPage({
      input: () => this.#use((machine) => machine.reportInput()),
      visibility: (isVisible) => this.#use((machine) => machine.setVisible(isVisible)),
      online: () => this.#use((machine) => machine.setOnline()),
    });
    if (this.#page) this.#machine.setVisible(this.#page.isVisible);
    this.#use((machine) => machine.start());
  }

  #dropMachine(): void {
    this.#guard((machine) => machine.free());
    this.#machine = undefined;
    // What it still wanted done, when an app drops it in the middle of being told something.
    this.#socket?.close(1000, "");
    this.#socket = undefined;
    this.#answers.rejectAll(new PresenceError("CLOSED", "the client was stopped"));
    this.#snapshots.settle();
  }

  // ---- what the machine wants -------------------------------------------------------------------

  #pump(): void {
    // What an app does when it is told something is picked up by the loop that told it.
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      const poll = () => this.#guard((machine) => machine.poll());
      for (let output = poll(); output; output = poll()) this.#do(output);
    } finally {
      this.#isPumping = false;
    }
    this.#settle();
  }

  #do(output: ClientOutput): void {
    switch (output.type) {
      case "open":
        return this.#open(output.socket);
      case "send":
        return this.#socket?.send(output.text);
      case "close":
        this.#socket?.close(output.code, output.reason);
        return void (this.#socket = undefined);
      case "sign":
        return void this.#sign(output.socket, output.payload);
      case "roster":
        return void (this.#snapshots.isBehind = true);
      case "event":
        return this.#emit(output.event);
    }
  }

  #emit(event: ClientEvent): void {
    switch (event.type) {
      case "state":
        // Whether it is stopped is the app's word, not the machine's.
        if (!this.#isRunning || event.state.phase === "stopped") return;
        return this.#enter(connectionOf(event.state, this.#clock.ageMs()));
      case "answer":
      case "failure":
        if (event.type === "answer") this.#answers.resolve(event.id, JSON.parse(event.payload));
        else this.#answers.reject(event.id, errorOf(event.problem));
        return this.#keepHost();
      case "noReadScope":
        // Without the right to read there is no list.
        this.#snapshots.isBehind = true;
        return void this.#keeper.host?.handleProblem("notice", errorOf(event.problem));
      case "beaconRefused":
        return void this.#keeper.host?.handleProblem("notice", errorOf(event.problem, "BEACON_REFUSED"));
      case "shutdown":
        this.#keeper.host?.handleShutdown(event.reason, event.restartExpectedMs);
    }
  }

  #open(id: number): void {
    const machine = this.#machine;
    const use = (act: (machine: Machine) => void) => {
      if (this.#machine === machine) this.#use(act);
    };
    try {
      this.#socket = new Socket(this.#address.url, webSocketClass(this.#options.WebSocket), {
        opened: () => use((machine) => machine.opened(id)),
        text: (frame) => use((machine) => machine.text(id, frame)),
        closed: (code, reason, why) => use((machine) => machine.closed(id, code, reason || why || "")),
      });
    } catch {
      // A page from https may not open ws:, and trying again would not help.
      const remedy = "Pages from https can only connect to wss: addresses, or to this machine.";
      const refused = new PresenceError("REFUSED", `the browser does not connect to ${this.#address.shown}`, { remedy });
      this.#guard((machine) => machine.stop());
      this.#enter(Object.freeze({ phase: "refused", error: refused }));
    }
  }

  async #sign(socket: number, payload: string): Promise<void> {
    const machine = this.#machine;
    const signature = await this.#identity?.device?.sign(payload).catch(() => undefined);
    if (this.#machine === machine) this.#use((machine) => machine.signature(socket, signature));
  }

  async #ask(ask: (machine: Machine) => Promise<unknown>): Promise<unknown> {
    this.#checkFreed();
    if (!this.#machine) throw new PresenceError("CLOSED", "not connected");
    let answer: Promise<unknown>;
    try {
      answer = ask(this.#machine);
    } catch (error) {
      if (!isTrap(error)) throw asPresenceError(error);
      this.#fail(error);
      throw internal(error);
    }
    this.#keepHost();
    this.#pump();
    return answer;
  }

  // ---- a core that fails ------------------------------------------------------------------------

  /** Lets the machine know something, and does what it wants then. */
  #use(act: (machine: Machine) => void): void {
    this.#guard(act);
    this.#pump();
  }

  /** Calls the machine; if it fails, the client is refused. Nothing without a machine. */
  #guard<T>(act: (machine: Machine) => T): T | undefined {
    if (!this.#machine) return undefined;
    try {
      return act(this.#machine);
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  #fail(cause: unknown): void {
    // It is not freed: what it holds may be in no state to be freed.
    this.#machine = undefined;
    this.#releaseIdentity();
    this.#dropMachine();
    if (this.#isRunning) this.#enter(Object.freeze({ phase: "refused", error: internal(cause) }));
    // The call that failed may be one that announces nothing.
    queueMicrotask(() => this.#pump());
  }

  #releaseIdentity(): void {
    this.#page?.stop();
    this.#page = undefined;
    // Another client may want the id.
    this.#identity?.release();
    this.#identity = undefined;
  }

  // ---- what the app is told ---------------------------------------------------------------------

  #enter(state: ConnectionState): void {
    if (!this.#connection.enter(state)) return;
    this.#snapshots.isBehind = true;
    this.#keeper.host?.handleConnection(state);
    if (state.phase === "refused") this.#keeper.host?.handleProblem("error", state.error);
  }

  /** Announces what became different, and sets the timer for what will. */
  #settle(): void {
    // Compared with what was announced: the app may have read a newer snapshot in between.
    if (this.#isWatched && this.#renewed() !== this.#announced) {
      this.#announced = this.#snapshots.current;
      this.#keeper.host?.handleSnapshot();
    }
    this.#setTimer();
  }

  #renewed(): RosterSnapshot {
    const renew = (machine: Machine | undefined) => this.#snapshots.renewed(machine, this.connection, this.#clock.ageMs());
    return this.#guard(renew) ?? renew(undefined);
  }

  #setTimer(): void {
    const machineMs = this.#guard((machine) => machine.timeout()) ?? Number.POSITIVE_INFINITY;
    this.#deadline.set(this.#isWatched ? Math.min(machineMs, this.#snapshots.wordsMs) : machineMs);
  }

  #keepHost(): void {
    this.#keeper.update(this.#isRunning, this.#answers.size > 0);
  }

  #checkFreed(): void {
    if (this.#isFreed) throw freed("client");
  }
}
