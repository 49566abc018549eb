import type { Clock } from "openclaw-presence";

import { hostOf, instanceIdOf, ipOf, KINDS, type Identity, type Kind, type KindName, type Network } from "./kinds.js";
import type { SimulatedGateway, SimulatedSocket } from "./simulator.js";

/** State of a simulated client. */
export type SimState = "connected" | "asleep" | "gone";

/** The members of a response that a simulated client reads. */
interface Frame {
  readonly ok?: boolean;
  readonly error?: { readonly message?: string };
}

/** A client of the simulated gateway that composes the protocol's frames itself, like real ones. */
export class SimClient {
  readonly host: string;
  readonly #gateway: SimulatedGateway;
  readonly #clock: Clock;
  readonly #kind: Kind;
  #socket: SimulatedSocket | undefined;
  #network: Network;
  #state: SimState = "gone";
  /** Why it disconnected, or what the gateway refused; empty without a note. */
  #note = "";
  #asked = 0;
  #inputMs: number;
  #cancelBeacon: (() => void) | undefined;

  constructor(
    readonly id: number,
    readonly kind: KindName,
    readonly identity: Identity,
    network: Network,
    gateway: SimulatedGateway,
    clock: Clock,
    /** Does not request the right to read: in a crowd, lists for readers would be most of the work. */
    readonly isBlind = false,
  ) {
    this.#kind = KINDS[kind];
    this.#network = network;
    this.#gateway = gateway;
    this.#clock = clock;
    this.#inputMs = clock.ageMs();
    this.host = hostOf(kind, id);
    this.#connect();
  }

  get state(): SimState {
    return this.#state;
  }

  get note(): string {
    return this.#note;
  }

  get network(): Network {
    return this.#network;
  }

  /** Whether the gateway grants it beacons. */
  get canBeacon(): boolean {
    return this.#kind.role === "operator";
  }

  /** Reconnects from a network. */
  reconnect(network: Network): void {
    this.drop();
    this.#network = network;
    this.#connect();
  }

  /** Simulates a lost network. */
  drop(): void {
    this.#cancelBeacon?.();
    this.#socket?.close();
    this.#socket = undefined;
    this.#state = "gone";
    this.#note = "";
  }

  /** Simulates a sleeping machine: the socket stays open, and pings are not answered. */
  sleep(): void {
    if (!this.#socket?.isOpen) return;
    this.#cancelBeacon?.();
    this.#socket.isResponsive = false;
    this.#state = "asleep";
  }

  wake(): void {
    if (!this.#socket?.isOpen) return this.reconnect(this.#network);
    this.#socket.isResponsive = true;
    this.#state = "connected";
    this.#scheduleBeacon();
  }

  /** Simulates user input, with a beacon. */
  beacon(): void {
    this.#inputMs = this.#clock.ageMs();
    this.#sendBeacon("periodic");
    this.#scheduleBeacon();
  }

  #connect(): void {
    this.#state = "connected";
    this.#note = "";
    this.#socket = this.#gateway.open({
      ip: this.#network === "tunnel" ? "127.0.0.1" : ipOf(this.id),
      ontext: (text) => {
        // Only responses are read; broadcasts of the list are ignored.
        if (text.startsWith('{"type":"res"')) this.#read(JSON.parse(text) as Frame);
      },
      onclose: (code, reason) => {
        this.#cancelBeacon?.();
        this.#socket = undefined;
        this.#state = "gone";
        this.#note = `closed by the gateway: ${reason || code}`;
      },
    });
    this.#answerChallenge();
  }

  #read({ ok, error }: Frame): void {
    if (ok === false) this.#note = `refused: ${error?.message ?? "no reason"}`;
  }

  /** The challenge arrived while the socket opened; without a device there is nothing to sign. */
  #answerChallenge(): void {
    const { clientId, mode, role, version, platform, deviceFamily, modelIdentifier } = this.#kind;
    this.#ask("connect", {
      minProtocol: 3,
      maxProtocol: 4,
      client: {
        id: clientId,
        displayName: this.host,
        version,
        platform,
        deviceFamily,
        modelIdentifier,
        mode,
        instanceId: this.identity === "none" ? undefined : instanceIdOf(this.kind, this.id),
      },
      role,
      scopes: role === "operator" && !this.isBlind ? ["operator.admin"] : [],
      caps: [],
    });
    // Programs with an identity send their first beacon as soon as they can.
    if (this.#kind.beaconEveryMs !== undefined && this.identity !== "none") this.#sendBeacon("launch");
    this.#scheduleBeacon();
  }

  #scheduleBeacon(): void {
    this.#cancelBeacon?.();
    const { beaconEveryMs } = this.#kind;
    if (beaconEveryMs === undefined || this.identity === "none") return;
    this.#cancelBeacon = this.#clock.setTimer(() => {
      this.#sendBeacon("periodic");
      this.#scheduleBeacon();
    }, beaconEveryMs);
  }

  #sendBeacon(reason: string): void {
    const { version, platform, deviceFamily, modelIdentifier, beaconMode } = this.#kind;
    const lastInputSeconds = Math.floor((this.#clock.ageMs() - this.#inputMs) / 1_000);
    const ip = ipOf(this.id);
    const text = `Node: ${this.host} (${ip}) · app ${version} · last input ${lastInputSeconds}s ago · mode ${beaconMode} · reason ${reason}`;
    this.#ask("system-event", {
      text,
      instanceId: this.#beaconId(),
      host: this.host,
      ip,
      version,
      platform,
      deviceFamily,
      modelIdentifier,
      mode: beaconMode,
      lastInputSeconds,
      reason,
    });
  }

  #beaconId(): string | undefined {
    const id = instanceIdOf(this.kind, this.id);
    switch (this.identity) {
      case "stable":
        return id;
      case "none":
        return undefined;
      case "case":
        return id.toUpperCase();
      case "other":
        return `${id}-beacons`;
    }
  }

  #ask(method: string, params: object): void {
    this.#asked += 1;
    this.#socket?.send(JSON.stringify({ type: "req", id: String(this.#asked), method, params }));
  }
}
