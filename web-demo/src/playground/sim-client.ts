import type { Clock } from "openclaw-presence";

import { hostOf, instanceIdOf, ipOf, KINDS, type Identity, type Kind, type KindName, type Network } from "./kinds.js";
import type { SimulatedGateway, SimulatedSocket } from "./simulator.js";

/** How a simulated client is. */
export type SimState = "connected" | "asleep" | "gone";

/** An answer of the gateway, as far as a simulated client reads it. */
interface Frame {
  readonly ok?: boolean;
  readonly error?: { readonly message?: string };
}

/** A client of the simulated gateway that speaks the protocol by hand, frame by frame, as the real ones do. */
export class SimClient {
  readonly host: string;
  readonly #gateway: SimulatedGateway;
  readonly #clock: Clock;
  readonly #kind: Kind;
  #socket: SimulatedSocket | undefined;
  #network: Network;
  #state: SimState = "gone";
  /** Why it is gone, or what the gateway refused; empty: nothing to say. */
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
    /** Asks for no right to read the list: a crowd of readers would be most of the work. */
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

  /** Whether the gateway lets it send beacons. */
  get canBeacon(): boolean {
    return this.#kind.role === "operator";
  }

  /** Comes back, from there. */
  reconnect(network: Network): void {
    this.drop();
    this.#network = network;
    this.#connect();
  }

  /** Its network is gone. */
  drop(): void {
    this.#cancelBeacon?.();
    this.#socket?.close();
    this.#socket = undefined;
    this.#state = "gone";
    this.#note = "";
  }

  /** Its machine sleeps: the socket stands, and nobody answers pings. */
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

  /** Somebody used it, and it tells so. */
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
        // Lists go to everybody, and nobody here reads them: only answers are looked at.
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

  /** The challenge came while the socket opened; without a device there is nothing to sign. */
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
    // A program that knows who it is tells more about itself as soon as it can.
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
