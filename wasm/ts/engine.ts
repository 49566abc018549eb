import { systemClock, type Clock } from "./clock.js";
import { CONNECTING, Connection, connectionOf, refused } from "./connection.js";
import { Deadline } from "./deadline.js";
import { asPresenceError, errorOf, freed, internal, isTrap, PresenceError, stopped } from "./errors.js";
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
import { gatewayAddress, Socket, webSocketClass, type Address } from "./socket.js";
import type { ConnectionState, Finding, RosterSnapshot } from "./types.js";
import { Waiters } from "./waiters.js";

/** The parts that an engine receives from a client that shares it between tabs. */
export interface EngineParts {
  /** Watches the pages of this client; by default the page this runs in. */
  readonly watchPage?: (listener: InputListener) => PageWatch | undefined;
  /** The roster displayed so far. */
  readonly before?: RosterSnapshot;
}

/**
 * The shell around the core's client machine: it executes the machine's outputs and has no presence rules.
 *
 * Sockets and timers reference the engine; the engine references its host weakly. A client that the app no longer
 * references is garbage-collected, which stops the engine, unless {@link HostKeeper} keeps it alive.
 */
export class Engine {
  readonly #keeper: HostKeeper;
  #isWatched = false;

  #options: PresenceClientOptions;
  #address: Address;
  readonly #clock: Clock;

  #isRunning = false;
  /** Whether a reconnect is in progress, during which it briefly does not run. */
  #isRestarting = false;
  #isFreed = false;
  /** Counts starts and stops. Results of an earlier epoch are ignored. */
  #epoch = 0;
  #identity: Identity | undefined;
  #machine: Machine | undefined;
  #socket: Socket | undefined;
  #page: PageWatch | undefined;
  readonly #watchPage: (listener: InputListener) => PageWatch | undefined;
  readonly #answers = new Waiters<number>();

  readonly #connection = new Connection();
  readonly #snapshots: SnapshotKeeper;
  /** The snapshot of the last call of the host. */
  #announced: RosterSnapshot;

  #isPumping = false;
  readonly #deadline: Deadline;

  constructor(options: PresenceClientOptions, host: HostRef, { watchPage, before = EMPTY_SNAPSHOT }: EngineParts = {}) {
    this.#keeper = new HostKeeper(host);
    this.#options = options;
    this.#address = gatewayAddress(options.url);
    this.#clock = options.clock ?? systemClock;
    this.#watchPage = watchPage ?? ((listener) => watchOwnPage(listener, this.#clock));
    this.#snapshots = new SnapshotKeeper(before);
    this.#announced = before;
    this.#deadline = new Deadline(this.#clock, () => this.#use((machine) => machine.input("advance")));
  }

  /** The state of the connection. */
  get connection(): ConnectionState {
    return this.#connection.state;
  }

  /** The id in use; absent while stopped, and for a client without one. */
  get instanceId(): string | undefined {
    return this.#identity?.instanceId;
  }

  /** The roster; the identical object as long as nothing changed. */
  get snapshot(): RosterSnapshot {
    return this.#renewed();
  }

  /** Connects and stays connected. */
  start(): void {
    this.#checkFreed();
    const { phase } = this.connection;
    if (this.#isRunning && phase !== "refused" && phase !== "waiting") return;
    // Checked here, so that the caller receives the error.
    webSocketClass(this.#options.WebSocket);
    this.#isRunning = true;
    if (this.#machine && this.#identity) this.#use((machine) => machine.input("start"));
    else void this.#prepare();
  }

  /** Disconnects. The roster stays, and ages. */
  stop(): void {
    if (!this.#isRunning && !this.#isRestarting) return;
    this.#isRestarting = false;
    this.#connection.reject(stopped());
    this.#disconnect();
  }

  #disconnect(): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#epoch += 1;
    this.#guard((machine) => machine.input("stop"));
    this.#releaseIdentity();
    this.#enter(EMPTY_SNAPSHOT.connection);
    this.#pump();
  }

  /** Reconnects, optionally with new credentials. */
  reconnect(change: ReconnectOptions): void {
    this.#checkFreed();
    const options = { ...this.#options, ...change };
    const address = gatewayAddress(options.url);
    // Calls of `connected` keep waiting.
    this.#isRestarting = true;
    this.#disconnect();
    // A listener may have freed it, or stopped the shared client that it belongs to.
    if (this.#isFreed) return;
    if (Object.keys(change).length > 0) this.#dropMachine();
    // Rows of one gateway are not rows of another.
    if (address.url !== this.#address.url) this.#snapshots.forget();
    this.#options = options;
    this.#address = address;
    // A listener may have stopped it.
    const isStopped = !this.#isRestarting;
    this.#isRestarting = false;
    if (!isStopped) this.start();
  }

  /** Stops and releases all resources. */
  free(): void {
    if (this.#isFreed) return;
    // First, so that no listener starts it again.
    this.#isFreed = true;
    this.stop();
    this.#connection.reject(freed("client"));
    // The last roster can still be read.
    this.#renewed();
    this.#dropMachine();
    this.#setTimer();
  }

  /** Resolves once the connection is live; rejects when the gateway refuses it, or the client is stopped. */
  async connected(signal: AbortSignal | undefined): Promise<void> {
    this.#checkFreed();
    return this.#connection.live(signal);
  }

  /** Calls a method of the gateway. */
  request(method: string, params: unknown): Promise<unknown> {
    return this.#ask((machine) => this.#answers.wait(machine.request(method, params)));
  }

  /** Sends a beacon immediately. */
  async beacon(reason: string): Promise<void> {
    await this.#ask((machine) => this.#answers.wait(machine.beacon(reason)));
  }

  /** Returns the findings about the gateway's list. */
  findings(): readonly Finding[] {
    return this.#guard((machine) => machine.findings()) ?? [];
  }

  /** Explains a row. */
  async explain(key: string): Promise<Explanation | undefined> {
    this.#checkFreed();
    return withMemory(this.#guard((machine) => machine.explain(key)), this);
  }

  /** Sets whether the app has any listeners (they keep the client alive), and roster listeners (they keep it current). */
  setListened(isListened: boolean, isWatched: boolean): void {
    this.#keeper.setListened(isListened);
    this.#keepHost();
    if (isWatched === this.#isWatched) return;
    // A new subscriber reads the current roster itself.
    if (isWatched) this.#announced = this.#renewed();
    this.#isWatched = isWatched;
    this.#use((machine) => machine.input("setWatched", isWatched));
  }

  // ---- identity and machine ---------------------------------------------------------------------

  async #prepare(): Promise<void> {
    this.#epoch += 1;
    const epoch = this.#epoch;
    this.#enter(CONNECTING);
    this.#settle();
    try {
      await ready();
      // A start that is outdated already must not hold an id, not even for a moment.
      if (epoch !== this.#epoch) return;
      const identity = await takeIdentity(this.#options);
      if (epoch !== this.#epoch) return identity.release();
      this.#begin(identity);
    } catch (error) {
      if (epoch !== this.#epoch) return;
      this.#releaseIdentity();
      this.#enter(refused(error));
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
    this.#machine.input("setWatched", this.#isWatched);
    this.#page = this.#watchPage({
      input: () => this.#use((machine) => machine.input("reportInput")),
      visibility: (isVisible) => this.#use((machine) => machine.input("setVisible", isVisible)),
      online: () => this.#use((machine) => machine.input("setOnline", true)),
    });
    if (this.#page) this.#machine.input("setVisible", this.#page.isVisible);
    this.#use((machine) => machine.input("start"));
  }

  #dropMachine(): void {
    this.#guard((machine) => machine.free());
    this.#machine = undefined;
    // Closed here: the machine's outputs are not executed if the app drops the client during a notification.
    this.#socket?.close(1000, "");
    this.#socket = undefined;
    this.#answers.rejectAll(stopped());
    this.#snapshots.settle();
  }

  // ---- outputs of the machine --------------------------------------------------------------------

  #pump(): void {
    // A call from within a listener only queues input; the outer loop processes it.
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
        // The app decides whether the client is stopped, not the machine.
        if (!this.#isRunning || event.state.phase === "stopped") return;
        return this.#enter(connectionOf(event.state, this.#clock.ageMs()));
      case "answer":
      case "failure":
        if (event.type === "answer") this.#answers.resolve(event.id, JSON.parse(event.payload));
        else this.#answers.reject(event.id, errorOf(event.problem));
        return this.#keepHost();
      case "noReadScope":
        // Without the read scope there is no list.
        this.#snapshots.isBehind = true;
        return void this.#keeper.host?.handleNotice(errorOf(event.problem));
      case "beaconRefused":
        return void this.#keeper.host?.handleNotice(errorOf(event.problem, "BEACON_REFUSED"));
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
      this.#socket = new Socket(this.#address, webSocketClass(this.#options.WebSocket), {
        opened: () => use((machine) => machine.input("opened", id)),
        text: (frame) => use((machine) => machine.input("text", id, frame)),
        closed: (code, reason, why) => use((machine) => machine.input("closed", id, code, reason || why || "")),
      });
    } catch (error) {
      // A retry would not help.
      this.#guard((machine) => machine.input("stop"));
      this.#enter(refused(error));
    }
  }

  async #sign(socket: number, payload: string): Promise<void> {
    const machine = this.#machine;
    const signature = await this.#identity?.sign(payload);
    if (this.#machine === machine) this.#use((machine) => machine.input("signature", socket, signature));
  }

  async #ask(ask: (machine: Machine) => Promise<unknown>): Promise<unknown> {
    this.#checkFreed();
    if (!this.#machine) throw new PresenceError("CLOSED", "not connected");
    try {
      const answer = ask(this.#machine);
      this.#keepHost();
      this.#pump();
      return answer;
    } catch (error) {
      if (isTrap(error)) this.#fail(error);
      throw asPresenceError(error);
    }
  }

  // ---- failures of the core ----------------------------------------------------------------------

  /** Passes an input to the machine, then executes its outputs. */
  #use(act: (machine: Machine) => void): void {
    this.#guard(act);
    this.#pump();
  }

  /** Calls the machine; if it fails, the client is refused. Returns `undefined` without a machine. */
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
    // Not freed: after a panic its memory may be inconsistent.
    this.#machine = undefined;
    this.#releaseIdentity();
    this.#dropMachine();
    if (this.#isRunning) this.#enter(refused(internal(cause)));
    // The failed call may be a read, after which nothing else notifies the app.
    queueMicrotask(() => this.#pump());
  }

  #releaseIdentity(): void {
    this.#page?.stop();
    this.#page = undefined;
    // Another client may need the id.
    this.#identity?.release();
    this.#identity = undefined;
  }

  // ---- notifications of the app ------------------------------------------------------------------

  #enter(state: ConnectionState): void {
    if (!this.#connection.enter(state)) return;
    this.#snapshots.isBehind = true;
    this.#keepHost();
    this.#keeper.host?.handleConnection(state);
  }

  /** Notifies of a changed snapshot, and sets the timer for the next change by age. */
  #settle(): void {
    // Compared with the announced snapshot: the app may have read a newer one since.
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
    // The rows of a stopped client age, but must not keep a Node process alive.
    this.#deadline.set(this.#isWatched ? Math.min(machineMs, this.#snapshots.wordsMs) : machineMs, !this.#isRunning);
  }

  #keepHost(): void {
    const { phase } = this.connection;
    // A refused client does nothing until the app starts it again.
    this.#keeper.update(phase !== "stopped" && phase !== "refused", this.#answers.size > 0);
  }

  #checkFreed(): void {
    if (this.#isFreed) throw freed("client");
  }
}
