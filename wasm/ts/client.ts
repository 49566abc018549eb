import { abortable, type Abortable } from "./abort.js";
import { watchArrivals, type LeaveReason } from "./arrivals.js";
import { callListener } from "./call-listener.js";
import type { Clock } from "./clock.js";
import { DISPOSE } from "./disposable.js";
import { ConnectionEvent, ProblemEvent, RosterEvent, ShutdownEvent, type PresenceClientEvents } from "./events.js";
import { weakly, type EngineHost } from "./host.js";
import { RosterIterator } from "./iterator.js";
import { checkClientOptions } from "./known-options.js";
import { ListenerTarget } from "./listeners.js";
import { makeEngine, type ClientEngine } from "./make-engine.js";
import type { Explanation, RequestArguments, RequestResult } from "./methods.js";
import type { ArrivalOptions, PresenceClientOptions, ReconnectOptions } from "./options.js";
import { EMPTY_SNAPSHOT } from "./snapshot.js";
import type { ConnectionState, Finding, PresenceRow, RosterSnapshot } from "./types.js";

/** Stops the engines of clients that were garbage-collected, where the platform has finalizers. */
const forgotten =
  typeof FinalizationRegistry === "undefined"
    ? undefined
    : new FinalizationRegistry<ClientEngine>((engine) => engine.free());

type Listener<T extends keyof PresenceClientEvents> =
  | ((event: PresenceClientEvents[T]) => void)
  | { handleEvent(event: PresenceClientEvents[T]): void }
  | null;
type AnyListener = EventListenerOrEventListenerObject | null;

// Merged with the class: the types of its events.
export interface PresenceClient {
  addEventListener<T extends keyof PresenceClientEvents>(type: T, listener: Listener<T>, options?: boolean | AddEventListenerOptions): void;
  addEventListener(type: string, listener: AnyListener, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<T extends keyof PresenceClientEvents>(type: T, listener: Listener<T>, options?: boolean | EventListenerOptions): void;
  removeEventListener(type: string, listener: AnyListener, options?: boolean | EventListenerOptions): void;
}

/**
 * A live roster: one connection to one gateway, reopened whenever it is lost.
 *
 * ```ts
 * const client = new PresenceClient({ url: "ws://127.0.0.1:18789", token });
 * client.addEventListener("roster", ({ roster }) => render(roster.rows));
 * client.start();
 * ```
 *
 * Four ways to read the roster: events, {@link subscribe} with {@link getSnapshot}, `for await`, or the property
 * {@link roster} at any time.
 *
 * Construction is cheap: no WASM is loaded and no socket opened before {@link start}. A running client without
 * references from the app stays connected while it has a listener, or if it never had one (it is then only there
 * to be listed). Otherwise it is stopped and garbage-collected. Prefer to call {@link close}, or write `using`.
 */
export class PresenceClient extends ListenerTarget implements AsyncIterable<RosterSnapshot> {
  readonly #engine: ClientEngine;
  readonly #clock: Clock | undefined;
  readonly #subscribers = new Set<{ readonly listener: () => void }>();
  #dispatched: RosterSnapshot = EMPTY_SNAPSHOT;
  /** The current notification, and those that its listeners caused. */
  #notifications: (() => void)[] = [];
  /** Removes the abort listener of the last start. */
  #unsignal: (() => void) | undefined;
  /** Referenced here because the engine holds it weakly. */
  readonly #host: EngineHost = {
    handleSnapshot: () => this.#notify(() => this.#dispatchRoster()),
    handleConnection: (connection) => this.#handleConnection(connection),
    handleNotice: (error) => this.#notify(() => this.dispatchEvent(new ProblemEvent("notice", error))),
    handleShutdown: (reason, restartMs) => this.#notify(() => this.dispatchEvent(new ShutdownEvent(reason, restartMs))),
  };

  /**
   * @throws {PresenceError} `INVALID_ARGUMENT` for an invalid or unknown option; the message names it.
   */
  constructor(options: PresenceClientOptions = {}) {
    super();
    checkClientOptions(options);
    this.#clock = options.clock;
    this.#engine = makeEngine(options, weakly(this.#host));
    forgotten?.register(this, this.#engine, this.#engine);
  }

  // ---- running ----------------------------------------------------------------------------------

  /**
   * Connects and stays connected. If the client waits for its next try, it tries at once.
   *
   * @param signal stops the client when it is aborted. The signal keeps a reference to the client until then, or
   * until the client is stopped.
   * @throws {PresenceError} `NO_WEBSOCKET`, `FREED`. All other errors are in {@link connection}.
   */
  start({ signal }: { readonly signal?: AbortSignal | undefined } = {}): this {
    if (signal?.aborted) return this;
    // Registered first: a listener may abort the signal during the start.
    if (signal) this.#stopOn(signal);
    try {
      this.#engine.start();
    } catch (error) {
      if (signal) this.#unsignal?.();
      throw error;
    }
    return this;
  }

  #stopOn(signal: AbortSignal): void {
    this.#unsignal?.();
    const stop = () => this.stop();
    signal.addEventListener("abort", stop);
    this.#unsignal = () => {
      signal.removeEventListener("abort", stop);
      this.#unsignal = undefined;
    };
  }

  /**
   * Disconnects and releases the instanceId. The roster stays, offline and ageing; with `shared` it becomes empty.
   * {@link start} starts again.
   */
  stop(): void {
    this.#unsignal?.();
    this.#engine.stop();
  }

  /**
   * Reconnects now, with other options if `change` has any. Pending calls of {@link connected} wait for the result.
   *
   * @throws {PresenceError} `INVALID_ARGUMENT`, `NO_WEBSOCKET`, `FREED`.
   */
  reconnect(change: ReconnectOptions = {}): void {
    checkClientOptions(change);
    this.#engine.reconnect(change);
  }

  /** Stops permanently, with the effects of {@link stop}, and frees the core's memory. A second call does nothing. */
  close(): void {
    this.#unsignal?.();
    forgotten?.unregister(this.#engine);
    this.#engine.free();
  }

  [DISPOSE](): void {
    this.close();
  }

  /**
   * Resolves when the client is connected.
   *
   * @throws {PresenceError} the reason when the gateway refuses the client; `CLOSED` when the client is stopped;
   * `FREED`. It keeps waiting for a gateway that cannot be reached.
   */
  connected({ signal }: Abortable = {}): Promise<void> {
    return this.#engine.connected(signal);
  }

  /** The state of the connection. */
  get connection(): ConnectionState {
    return this.#engine.connection;
  }

  /** The `instanceId` in use; absent while the client is stopped. */
  get instanceId(): string | undefined {
    return this.#engine.instanceId;
  }

  // ---- the roster -------------------------------------------------------------------------------

  /** The current roster: a frozen object, identical as long as nothing changed. */
  get roster(): RosterSnapshot {
    return this.#engine.snapshot;
  }

  /** Returns {@link roster}; a bound function that can be passed around. */
  readonly getSnapshot = (): RosterSnapshot => this.#engine.snapshot;

  /** Calls `listener` whenever {@link getSnapshot} returns a new object; returns the function that unsubscribes. */
  readonly subscribe = (listener: () => void): (() => void) => {
    const subscriber = { listener };
    this.#subscribers.add(subscriber);
    this.handleListeners();
    return () => {
      if (this.#subscribers.delete(subscriber)) this.handleListeners();
    };
  };

  /**
   * Calls `listener` with each row that joins from now on; returns the function that unsubscribes. See {@link
   * watchArrivals}.
   */
  onJoin(listener: (row: PresenceRow) => void, options?: ArrivalOptions): () => void {
    return watchArrivals(this, { join: listener }, options, this.#clock);
  }

  /**
   * Calls `listener` with each row that leaves from now on, and the reason; returns the function that unsubscribes.
   * See {@link watchArrivals}.
   */
  onLeave(listener: (row: PresenceRow, reason: LeaveReason) => void, options?: ArrivalOptions): () => void {
    return watchArrivals(this, { leave: listener }, options, this.#clock);
  }

  /** Returns the findings about the gateway's list, most often about several rows of one client, each with its fix. */
  findings(): readonly Finding[] {
    return this.#engine.findings();
  }

  /**
   * Explains the row with that key: why it has this state, when it will be removed, and findings about it. A
   * gateway of this project answers from its memory; for other gateways the explanation is derived from the list.
   * `undefined` if there is no such row.
   *
   * @throws {PresenceError} `FREED`; `CLOSED` or `TIMEOUT` if the tab that holds the shared connection does not
   * answer.
   */
  explain(key: string, { signal }: Abortable = {}): Promise<Explanation | undefined> {
    return abortable(signal, () => this.#engine.explain(key));
  }

  /**
   * Iterates over the snapshots: the current one, then each new one. Slow consumers skip to the latest snapshot. Ends
   * when the client is stopped.
   *
   * @throws {PresenceError} the reason when the gateway refuses the client.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<RosterSnapshot, void, undefined> {
    return new RosterIterator(this);
  }

  // ---- talking to the gateway -------------------------------------------------------------------

  /**
   * Calls a method of the gateway and resolves with its answer. Parameters and answers of the methods in
   * {@link GatewayMethods} have types; those of other methods are `unknown`.
   *
   * @throws {PresenceError} `CLOSED` without a connection, `REFUSED` (or another of the gateway's codes) with the
   * gateway's message, `TIMEOUT` after 30 s, `TOO_MANY_REQUESTS`, `FREED`.
   */
  request<M extends string>(method: M, ...args: RequestArguments<M>): Promise<RequestResult<M>> {
    const [params, { signal } = {}] = args;
    return abortable(signal, () => this.#engine.request(method, params)) as Promise<RequestResult<M>>;
  }

  /**
   * Sends a beacon immediately; resolves when the gateway accepted it.
   *
   * @param reason the row's `reason`, a short word. OpenClaw's gateways pass a beacon with a new reason to their agent.
   * @throws {PresenceError} as {@link request}.
   */
  beacon(reason = "periodic", { signal }: Abortable = {}): Promise<void> {
    return abortable(signal, () => this.#engine.beacon(reason));
  }

  // ---- events -----------------------------------------------------------------------------------

  protected override handleListeners(): void {
    const hasSubscribers = this.#subscribers.size > 0;
    this.#engine.setListened(hasSubscribers || this.listenerCount > 0, hasSubscribers || this.hasListeners("roster"));
  }

  #handleConnection(connection: ConnectionState): void {
    this.#notify(() => {
      this.dispatchEvent(new ConnectionEvent(connection));
      if (connection.phase === "refused") this.dispatchEvent(new ProblemEvent("error", connection.error));
    });
  }

  /** Calls all listeners. A notification that one of them causes follows, so that all of them get both in order. */
  #notify(notification: () => void): void {
    if (this.#notifications.push(notification) > 1) return;
    try {
      for (const notify of this.#notifications) notify();
    } finally {
      this.#notifications = [];
    }
  }

  #dispatchRoster(): void {
    const before = this.#dispatched;
    this.#dispatched = this.#engine.snapshot;
    if (this.#dispatched === before) return;
    this.dispatchEvent(new RosterEvent(this.#dispatched, before));
    for (const subscriber of [...this.#subscribers]) {
      // An earlier subscriber may have removed this one.
      if (this.#subscribers.has(subscriber)) callListener(subscriber.listener);
    }
  }
}
