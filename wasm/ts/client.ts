import { abortable, type Abortable } from "./abort.js";
import { watchArrivals, type ArrivalOptions, type LeaveReason } from "./arrivals.js";
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
import type { PresenceClientOptions, ReconnectOptions } from "./options.js";
import { EMPTY_SNAPSHOT } from "./snapshot.js";
import type { ConnectionState, Finding, PresenceRow, RosterSnapshot } from "./types.js";

/** Ends the engines of clients that nobody holds any more, where the platform can say so. */
const forgotten =
  typeof FinalizationRegistry === "undefined"
    ? undefined
    : new FinalizationRegistry<ClientEngine>((engine) => engine.free());

/**
 * A live roster: one connection to one gateway, made again whenever it is lost.
 *
 * ```ts
 * const client = new PresenceClient({ url: "ws://127.0.0.1:18789", token });
 * client.addEventListener("roster", ({ roster }) => render(roster.rows));
 * client.start();
 * ```
 *
 * It is told in four ways, whichever suits: events, {@link subscribe} with {@link getSnapshot}, `for await`, or by
 * asking for {@link roster} at any time.
 *
 * Making one is cheap and does nothing: no WASM is loaded and no socket opened before {@link start}. A running client
 * that is forgotten by the app goes on while somebody listens to it, or if nobody ever did (it is there to be seen);
 * else it is stopped and collected. Better call {@link close}, or write `using`.
 */
export class PresenceClient extends ListenerTarget implements AsyncIterable<RosterSnapshot> {
  readonly #engine: ClientEngine;
  readonly #clock: Clock | undefined;
  readonly #subscribers = new Set<{ readonly listener: () => void }>();
  #dispatched: RosterSnapshot = EMPTY_SNAPSHOT;
  /** Ends the wait for the signal of the last start. */
  #unsignal: (() => void) | undefined;
  readonly #isShared: boolean;
  /** Lives as long as this does: the engine holds it weakly. */
  readonly #host: EngineHost = {
    handleSnapshot: () => this.#dispatchRoster(),
    handleConnection: (connection) => this.#handleConnection(connection),
    handleProblem: (type, error) => this.dispatchEvent(new ProblemEvent(type, error)),
    handleShutdown: (reason, restartMs) => this.dispatchEvent(new ShutdownEvent(reason, restartMs)),
  };

  /**
   * @throws {PresenceError} `INVALID_ARGUMENT` names an option that is bad or does not exist.
   */
  constructor(options: PresenceClientOptions = {}) {
    super();
    checkClientOptions(options);
    this.#clock = options.clock;
    this.#isShared = Boolean(options.shared);
    this.#engine = makeEngine(options, weakly(this.#host));
    forgotten?.register(this, this.#engine, this.#engine);
  }

  // ---- running ----------------------------------------------------------------------------------

  /**
   * Connects, and from then on keeps connected; while it waits for its next try, it tries at once.
   *
   * @param signal stops the client once it is aborted. Until then, or until it is stopped, the signal keeps the client.
   * @throws {PresenceError} `NO_WEBSOCKET`, `FREED`. What else goes wrong is in {@link connection}.
   */
  start({ signal }: { readonly signal?: AbortSignal | undefined } = {}): this {
    if (signal?.aborted) return this;
    // Before it starts: a listener may abort the signal when it hears of the start.
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

  /** Disconnects and gives the instanceId back. The roster stays, offline and ageing. {@link start} starts again. */
  stop(): void {
    this.#unsignal?.();
    this.#engine.stop();
  }

  /**
   * Connects anew now, with other options if some are given.
   *
   * @throws {PresenceError} `INVALID_ARGUMENT`, `NO_WEBSOCKET`, `FREED`.
   */
  reconnect(change: ReconnectOptions = {}): void {
    checkClientOptions(change);
    this.#engine.reconnect(change);
  }

  /** Stops for good and gives the memory of the core back. Twice does nothing; the last roster can still be read. */
  close(): void {
    this.#unsignal?.();
    forgotten?.unregister(this.#engine);
    this.#engine.free();
  }

  [DISPOSE](): void {
    this.close();
  }

  /**
   * Fulfilled once it is connected; at once if it is.
   *
   * @throws {PresenceError} the reason when the gateway refuses it, `CLOSED` when it is stopped, `FREED`. It does not
   *   give up on a gateway that cannot be reached.
   */
  connected({ signal }: Abortable = {}): Promise<void> {
    const waiter = Symbol("connected");
    return abortable(
      signal,
      () => this.#engine.connected(waiter),
      () => this.#engine.forgetConnected(waiter),
    );
  }

  /** How the connection is. */
  get connection(): ConnectionState {
    return this.#engine.connection;
  }

  /** The `instanceId` it goes by; absent while it is stopped. */
  get instanceId(): string | undefined {
    return this.#engine.instanceId;
  }

  // ---- the roster -------------------------------------------------------------------------------

  /** The roster as it is now: a frozen object, the same one while nothing changed. */
  get roster(): RosterSnapshot {
    return this.#engine.snapshot;
  }

  /** The same as {@link roster}; may be passed around by itself. */
  readonly getSnapshot = (): RosterSnapshot => this.#engine.snapshot;

  /** Calls `listener` whenever {@link getSnapshot} returns something else; what it returns ends that. */
  readonly subscribe = (listener: () => void): (() => void) => {
    const subscriber = { listener };
    this.#subscribers.add(subscriber);
    this.handleListeners();
    return () => {
      if (this.#subscribers.delete(subscriber)) this.handleListeners();
    };
  };

  /** Calls `listener` with each row that joins from now on; what it returns ends that. See {@link watchArrivals}. */
  onJoin(listener: (row: PresenceRow) => void, options?: ArrivalOptions): () => void {
    return watchArrivals(this, { join: listener }, options, this.#clock);
  }

  /** Calls `listener` with each row that leaves from now on, and why. See {@link watchArrivals}. */
  onLeave(listener: (row: PresenceRow, reason: LeaveReason) => void, options?: ArrivalOptions): () => void {
    return watchArrivals(this, { leave: listener }, options, this.#clock);
  }

  /** Which rows of the gateway's list look like one client, and how to mend it. */
  findings(): readonly Finding[] {
    return this.#engine.findings();
  }

  /**
   * Why the row with that key is as it is, when it goes, and what is wrong with it. A gateway of this project answers from
   * its memory; of others it is what the list shows. Nothing: there is no such row.
   *
   * @throws {PresenceError} `FREED`; `CLOSED` or `TIMEOUT` if another tab with the connection does not answer.
   */
  explain(key: string, { signal }: Abortable = {}): Promise<Explanation | undefined> {
    return abortable(signal, () => this.#engine.explain(key));
  }

  /**
   * The roster now and then whenever it is another one; who is slow gets the newest. Ends when the client is
   * stopped.
   *
   * @throws {PresenceError} the reason when the gateway refuses the client.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<RosterSnapshot, void, undefined> {
    return new RosterIterator(this);
  }

  // ---- talking to the gateway -------------------------------------------------------------------

  /**
   * Calls a method of the gateway; fulfilled with its answer. Parameters and answers of the methods in
   * {@link GatewayMethods} have types; those of other methods are `unknown`.
   *
   * @throws {PresenceError} `CLOSED` without a connection, `REFUSED` (or another of the gateway's codes) with what the
   *   gateway said, `TIMEOUT` after 30 s, `TOO_MANY_REQUESTS`, `FREED`.
   */
  request<M extends string>(method: M, ...args: RequestArguments<M>): Promise<RequestResult<M>> {
    const [params, { signal } = {}] = args;
    return abortable(signal, () => this.#engine.request(method, params)) as Promise<RequestResult<M>>;
  }

  /**
   * Tells the gateway about this client now; fulfilled when it took it.
   *
   * @param reason a word for it. Real gateways tell their agent of words that are new to them.
   * @throws {PresenceError} as {@link request}.
   */
  beacon(reason = "periodic", { signal }: Abortable = {}): Promise<void> {
    return abortable(signal, () => this.#engine.beacon(reason));
  }

  // ---- events -----------------------------------------------------------------------------------

  override addEventListener<T extends keyof PresenceClientEvents>(
    type: T,
    listener: ((event: PresenceClientEvents[T]) => void) | { handleEvent(event: PresenceClientEvents[T]): void } | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void {
    super.addEventListener(type, listener, options);
  }

  override removeEventListener<T extends keyof PresenceClientEvents>(
    type: T,
    listener: ((event: PresenceClientEvents[T]) => void) | { handleEvent(event: PresenceClientEvents[T]): void } | null,
    options?: boolean | EventListenerOptions,
  ): void;
  override removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void;
  override removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void {
    super.removeEventListener(type, listener, options);
  }

  protected override handleListeners(): void {
    const watchers = this.listenerCountOf("roster") + this.#subscribers.size;
    this.#engine.setListened(this.listenerCount + this.#subscribers.size > 0, watchers > 0);
  }

  #handleConnection(connection: ConnectionState): void {
    // A client that is refused does not run: there is nothing left to stop. A shared one may, by what another tab does.
    if (connection.phase === "refused" && !this.#isShared) this.#unsignal?.();
    this.dispatchEvent(new ConnectionEvent(connection));
  }

  #dispatchRoster(): void {
    const before = this.#dispatched;
    this.#dispatched = this.#engine.snapshot;
    this.dispatchEvent(new RosterEvent(this.#dispatched, before));
    for (const subscriber of [...this.#subscribers]) {
      // An earlier one may have ended it.
      if (this.#subscribers.has(subscriber)) callListener(subscriber.listener);
    }
  }
}
