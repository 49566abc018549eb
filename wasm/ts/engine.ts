import { systemClock, type Clock } from "./clock.js";
import { isSame } from "./diff.js";
import { asPresenceError, freed, PresenceError } from "./errors.js";
import { takeIdentity, type Identity } from "./identity.js";
import { InputMonitor, pageTargets } from "./input.js";
import { ready } from "./load/core.js";
import { Machine, type MachineOutput } from "./machine.js";
import type { PresenceClientOptions, ReconnectOptions } from "./options.js";
import { EMPTY_SNAPSHOT, SnapshotKeeper } from "./snapshot.js";
import { Socket, webSocketClass, webSocketUrl } from "./socket.js";
import type { ConnectionState, Finding, RosterSnapshot } from "./types.js";
import { Waiters } from "./waiters.js";

/** Whom an {@link Engine} works for. */
export interface EngineHost {
  /** The snapshot is another one. */
  handleSnapshot(): unknown;
  /** The connection became different. */
  handleState(state: ConnectionState): unknown;
  /** Something a person should know. */
  handleProblem(type: "error" | "notice", error: PresenceError): unknown;
  /** The gateway is about to stop. */
  handleShutdown(reason: string, restartExpectedMs: number | undefined): unknown;
}

/** Hosts that live on though the app may have forgotten them. */
const kept = new Set<EngineHost>();

const DEFAULT_URL = "ws://127.0.0.1:18789";
const CONNECTING: ConnectionState = Object.freeze({ phase: "connecting" });
const STOPPED: ConnectionState = EMPTY_SNAPSHOT.connection;

/**
 * The shell around the core's client machine: sockets, timers, clocks, ids and keys. It does what the machine wants
 * and knows no rule of presence.
 *
 * Sockets and timers hold the engine; the engine holds its host weakly, so that a client that an app forgets can be
 * collected, which ends the engine too. Two things keep a forgotten client alive while it runs: somebody listens to
 * it, or nobody ever did, since then it is there to be seen.
 */
export class Engine {
  readonly #host: WeakRef<EngineHost>;
  #isListened = false;
  #wasListened = false;

  #options: PresenceClientOptions;
  #url: string;
  readonly #clock: Clock;

  #isRunning = false;
  #isFreed = false;
  /** Counts starts and stops: what was begun before the last of them is void. */
  #epoch = 0;
  #identity: Identity | undefined;
  #machine: Machine | undefined;
  #socket: Socket | undefined;
  #input: InputMonitor | undefined;
  readonly #answers = new Waiters<number>();
  readonly #connects = new Waiters<symbol>();

  #state: ConnectionState = STOPPED;
  readonly #snapshots = new SnapshotKeeper();

  #isPumping = false;
  #timerMs = Number.POSITIVE_INFINITY;
  #cancelTimer: (() => void) | undefined;

  constructor(options: PresenceClientOptions, host: WeakRef<EngineHost>) {
    this.#host = host;
    this.#options = options;
    this.#url = webSocketUrl(options.url ?? DEFAULT_URL);
    this.#clock = options.clock ?? systemClock;
  }

  /** How the connection is. */
  get state(): ConnectionState {
    return this.#state;
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
    const { phase } = this.#state;
    if (this.#isRunning && phase !== "refused" && phase !== "waiting") return;
    // Now and not later: who calls gets the error.
    webSocketClass(this.#options.WebSocket);
    this.#isRunning = true;
    this.#keepHost();
    if (this.#machine && this.#identity) {
      this.#machine.start();
      this.#pump();
    } else void this.#prepare();
  }

  /** Disconnects. The roster stays, and ages. */
  stop(): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#epoch += 1;
    this.#machine?.stop();
    this.#input?.stop();
    this.#input = undefined;
    // Another client may want the id.
    this.#identity?.release();
    this.#identity = undefined;
    this.#connects.rejectAll(new PresenceError("CLOSED", "the client was stopped"));
    this.#enter(STOPPED);
    this.#pump();
    this.#keepHost();
  }

  /** Connects anew, as another if it is told so. */
  reconnect(change: ReconnectOptions): void {
    this.#checkFreed();
    const options = { ...this.#options, ...change };
    const url = webSocketUrl(options.url ?? DEFAULT_URL);
    this.stop();
    if (Object.keys(change).length > 0) this.#dropMachine();
    // Rows of another gateway are no rows of this one.
    if (url !== this.#url) this.#snapshots.forget();
    this.#options = options;
    this.#url = url;
    this.start();
  }

  /** Stops and gives everything back. */
  free(): void {
    if (this.#isFreed) return;
    this.stop();
    this.#isFreed = true;
    this.#connects.rejectAll(freed("client"));
    // The roster as it was last can still be read.
    this.#renewed();
    this.#dropMachine();
    this.#setTimer();
  }

  /** Fulfilled once it is live; rejected when the gateway refuses it, or it is stopped. */
  connected(): Promise<void> {
    this.#checkFreed();
    if (this.#state.phase === "live") return Promise.resolve();
    if (this.#state.phase === "refused") return Promise.reject(this.#state.error);
    return this.#connects.wait(Symbol("connect")) as Promise<void>;
  }

  /** Calls a method of the gateway. */
  request(method: string, params: unknown): Promise<unknown> {
    return this.#ask((machine) => this.#answers.wait(machine.request(method, params)));
  }

  /** Tells about this client now. */
  beacon(reason: string): Promise<void> {
    return this.#ask((machine) => this.#answers.wait(machine.beacon(reason))).then(() => undefined);
  }

  /** Which rows of the gateway's list look like one client. */
  findings(): readonly Finding[] {
    return this.#machine?.findings() ?? [];
  }

  /** Says whether anybody is told about changes. */
  setListened(isListened: boolean): void {
    if (isListened === this.#isListened) return;
    this.#isListened = isListened;
    this.#wasListened ||= isListened;
    this.#keepHost();
    this.#machine?.setWatched(isListened);
    this.#pump();
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
      this.#enter(Object.freeze({ phase: "refused", error: asPresenceError(error) }));
      this.#settle();
    }
  }

  #begin(identity: Identity): void {
    this.#identity = identity;
    // Another tab may have taken the id while this one was stopped.
    if (!this.#machine?.isFor(identity)) {
      this.#dropMachine();
      this.#machine = new Machine(this.#options, identity, this.#clock);
    }
    this.#machine.setWatched(this.#isListened);
    this.#watchPage(this.#machine);
    this.#machine.start();
    this.#pump();
  }

  #watchPage(machine: Machine): void {
    const targets = pageTargets();
    if (!targets) return;
    const then = (tell: () => void) => {
      tell();
      this.#pump();
    };
    this.#input = new InputMonitor(targets, this.#clock, {
      input: () => then(() => machine.reportInput()),
      visibility: (isVisible) => then(() => machine.setVisible(isVisible)),
      online: () => then(() => machine.setOnline()),
    });
    machine.setVisible(this.#input.isVisible);
  }

  #dropMachine(): void {
    this.#machine?.free();
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
      for (let output = this.#machine?.poll(); output; output = this.#machine?.poll()) this.#do(output);
    } finally {
      this.#isPumping = false;
    }
    this.#settle();
  }

  #do(output: MachineOutput): void {
    switch (output.type) {
      case "open":
        return this.#open(output.socket);
      case "send":
        return this.#socket?.send(output.text);
      case "close":
        this.#socket?.close(output.code, output.reason);
        this.#socket = undefined;
        return;
      case "sign":
        return void this.#sign(output.socket, output.payload);
      case "state":
        // Whether it is stopped is the app's word, not the machine's.
        if (this.#isRunning && output.state.phase !== "stopped") this.#enter(output.state);
        return;
      case "roster":
        this.#snapshots.isBehind = true;
        return;
      case "answer":
        if (output.error) this.#answers.reject(output.id, output.error);
        else this.#answers.resolve(output.id, output.payload);
        return this.#keepHost();
      case "notice":
        return this.#tellProblem("notice", output.error);
      case "shutdown":
        this.#host.deref()?.handleShutdown(output.reason, output.restartExpectedMs);
    }
  }

  #open(id: number): void {
    const machine = this.#machine;
    const then = (happen: () => void) => {
      if (this.#machine !== machine) return;
      happen();
      this.#pump();
    };
    try {
      this.#socket = new Socket(this.#url, webSocketClass(this.#options.WebSocket), {
        opened: () => then(() => machine?.opened(id)),
        text: (frame) => then(() => machine?.text(id, frame)),
        closed: (code, reason, why) => then(() => machine?.closed(id, code, reason || why || "")),
      });
    } catch (error) {
      // A page from https may not open ws:, and trying again would not help.
      const remedy = "Pages from https can only connect to wss: addresses, or to this machine.";
      const refused = new PresenceError("REFUSED", `the browser does not connect to ${this.#url}`, { remedy, cause: error });
      machine?.stop();
      this.#enter(Object.freeze({ phase: "refused", error: refused }));
    }
  }

  async #sign(socket: number, payload: string): Promise<void> {
    const machine = this.#machine;
    const signature = await this.#identity?.device?.sign(payload).catch(() => undefined);
    if (this.#machine !== machine) return;
    machine?.signature(socket, signature);
    this.#pump();
  }

  #ask(ask: (machine: Machine) => Promise<unknown>): Promise<unknown> {
    this.#checkFreed();
    if (!this.#machine) return Promise.reject(new PresenceError("CLOSED", "not connected"));
    let answer: Promise<unknown>;
    try {
      answer = ask(this.#machine);
    } catch (error) {
      return Promise.reject(asPresenceError(error));
    }
    this.#keepHost();
    this.#pump();
    return answer;
  }

  // ---- what the app is told ---------------------------------------------------------------------

  #enter(state: ConnectionState): void {
    if (isSame(this.#state, state)) return;
    this.#state = state;
    this.#snapshots.isBehind = true;
    if (state.phase === "live") this.#connects.resolveAll(undefined);
    if (state.phase === "refused") this.#connects.rejectAll(state.error);
    this.#host.deref()?.handleState(state);
    if (state.phase === "refused") this.#tellProblem("error", state.error);
  }

  #tellProblem(type: "error" | "notice", error: PresenceError): void {
    this.#host.deref()?.handleProblem(type, error);
  }

  /** Tells what became different, and sets the timer for what will. */
  #settle(): void {
    if (this.#isListened) {
      const before = this.#snapshots.current;
      if (this.#renewed() !== before) this.#host.deref()?.handleSnapshot();
    }
    this.#setTimer();
  }

  #renewed(): RosterSnapshot {
    return this.#snapshots.renewed(this.#machine, this.#state, this.#clock.ageMs());
  }

  #setTimer(): void {
    const machineMs = this.#machine?.timeout() ?? Number.POSITIVE_INFINITY;
    const dueMs = this.#isListened ? Math.min(machineMs, this.#snapshots.wordsMs) : machineMs;
    // A timer whose deadline did not change is left alone.
    if (dueMs === this.#timerMs) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#timerMs = dueMs;
    if (dueMs === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.ceil(Math.max(dueMs - this.#clock.ageMs(), 0));
    this.#cancelTimer = this.#clock.setTimer(() => {
      this.#timerMs = Number.POSITIVE_INFINITY;
      this.#machine?.advance();
      this.#pump();
    }, delayMs);
  }

  #keepHost(): void {
    const host = this.#host.deref();
    const isOfUse = this.#isListened || !this.#wasListened || this.#answers.size > 0;
    if (host && this.#isRunning && isOfUse) kept.add(host);
    else if (host) kept.delete(host);
  }

  #checkFreed(): void {
    if (this.#isFreed) throw freed("client");
  }
}
