import type { Clock } from "./clock.js";
import { asPresenceError, errorOf, isTrap } from "./errors.js";
import { normalizeKey } from "./functions.js";
import type { ClientEvent, ClientOutput } from "./glue.js";
import type { Identity } from "./identity.js";
import { wordsOf } from "./labels.js";
import { core } from "./load/core.js";
import type { Explanation } from "./methods.js";
import type { PresenceClientOptions } from "./options.js";
import { platform } from "./platform.js";
import { randomSeed } from "./random.js";
import { Rows, type RosterChange } from "./rows.js";
import type { Finding, FindingReport, PresenceEntry, PresenceRow } from "./types.js";
import { VERSION } from "./version.js";

type WasmClient = InstanceType<ReturnType<typeof core>["Client"]>;

/** The inputs of the core's client. */
type Input =
  | "start" | "stop" | "setWatched" | "setVisible" | "setOnline" | "reportInput"
  | "opened" | "text" | "closed" | "signature" | "advance";

/** The arguments of an input, without the clocks. */
type Given<Name extends Input> = Parameters<WasmClient[Name]> extends [...infer Given, number, number] ? Given : never;

/** The core's client with TypeScript types, driven by a clock. */
export class Machine {
  readonly #wasm: WasmClient;
  readonly #clock: Clock;
  readonly #identity: Identity;
  readonly #ownKey: string | undefined;
  /** The gateway's roster. */
  readonly rows: Rows;
  #hadList = false;
  #isReportedOffline = true;
  #canRead = true;

  /** @param before the rows displayed so far. */
  constructor(options: PresenceClientOptions, identity: Identity, clock: Clock, before: readonly PresenceRow[]) {
    this.rows = new Rows({ isOwn: (entry) => this.#isOwn(entry), before, words: wordsOf(options.labels) });
    const { Client } = core();
    const config = JSON.stringify(machineConfig(options, identity));
    try {
      this.#wasm = new Client(config, clock.ageMs(), clock.wallMs());
    } catch (error) {
      throw asPresenceError(error);
    }
    this.#clock = clock;
    this.#identity = identity;
    this.#ownKey = identity.instanceId === undefined ? undefined : normalizeKey(identity.instanceId);
  }

  /** Whether the machine was created for that id and key. */
  isFor({ instanceId, device }: Identity): boolean {
    return instanceId === this.#identity.instanceId && device?.deviceId === this.#identity.device?.deviceId;
  }

  /** Whether a row is this client's own. Some gateways write the deviceId in place of the instanceId. */
  #isOwn({ instanceId, deviceId }: PresenceEntry): boolean {
    const key = typeof instanceId === "string" ? normalizeKey(instanceId) : undefined;
    if (key !== undefined && key !== deviceId) return key === this.#ownKey;
    return deviceId !== undefined && deviceId === this.#identity.device?.deviceId;
  }

  /** Passes an input to the core's client. */
  input<Name extends Input>(name: Name, ...given: Given<Name>): void {
    const input = this.#wasm[name].bind(this.#wasm) as (...args: unknown[]) => void;
    this.#at((age, wall) => input(...given, age, wall));
  }

  request(method: string, params: unknown): number {
    const text = params === undefined ? undefined : JSON.stringify(params);
    return this.#call((age, wall) => this.#wasm.request(method, text, age, wall));
  }

  beacon(reason: string): number {
    return this.#call((age, wall) => this.#wasm.beacon(reason, age, wall));
  }

  /** Returns when the input `advance` is due next, on the age clock. */
  timeout(): number | undefined {
    return this.#wasm.timeout();
  }

  /** Returns the next output. Outputs about the rows and the right to read them are also applied here. */
  poll(): ClientOutput | undefined {
    const output = this.#wasm.poll();
    if (output?.type === "roster") this.#apply(JSON.parse(output.change) as RosterChange);
    else if (output?.type === "event") this.#note(output.event);
    return output;
  }

  /** Returns the gateway's clock, in ms since the Unix epoch. */
  serverMs(): number {
    return this.#at((age, wall) => this.#wasm.serverMs(age, wall));
  }

  findings(): readonly Finding[] {
    return readFindings(this.#wasm.findings(), this.#wasm.entries());
  }

  explain(key: string): Explanation | undefined {
    return this.#at((age, wall) => readExplanation(this.#wasm.explain(key, age, wall)));
  }

  /** Whether the gateway is unreachable, or has not sent a list yet. */
  get isOffline(): boolean {
    // The rows change only when the machine's roster output is polled.
    return this.#isReportedOffline || this.#wasm.isOffline();
  }

  /** Whether the gateway has ever sent a list. */
  get hadList(): boolean {
    return this.#hadList;
  }

  /** Whether the gateway allows this client to read the list. */
  get canRead(): boolean {
    return this.#canRead;
  }

  free(): void {
    this.#wasm.free();
  }

  #at<T>(act: (ageMs: number, wallMs: number) => T): T {
    return act(this.#clock.ageMs(), this.#clock.wallMs());
  }

  #call<T>(act: (ageMs: number, wallMs: number) => T): T {
    try {
      return this.#at(act);
    } catch (error) {
      if (isTrap(error)) throw error;
      const { code = "", message } = error as Error & { code?: string };
      throw errorOf({ code, message, remedy: "" });
    }
  }

  #apply(change: RosterChange): void {
    this.rows.apply(change);
    this.#isReportedOffline = change.offline ?? this.#isReportedOffline;
    this.#hadList ||= !this.isOffline;
  }

  #note(event: ClientEvent): void {
    if (event.type === "state" && event.state.phase === "live") this.#canRead = event.state.canRead;
    // A gateway may revoke the right later.
    if (event.type === "noReadScope") this.#canRead = false;
  }
}

/** Returns the core's findings with their rows. */
export function readFindings(found: string, list: string): readonly Finding[] {
  const reports = JSON.parse(found) as readonly (FindingReport & { readonly indexes?: readonly number[] })[];
  const entries = JSON.parse(list) as PresenceEntry[];
  const read = ({ indexes = [], ...report }: (typeof reports)[number]) =>
    Object.freeze({ ...report, rows: [...new Set(report.rows)], fix: report.fixHint, indexes, entries: indexes.map((index) => entries[index] ?? {}) });
  return Object.freeze(reports.map(read));
}

/** Parses the core's explanation of a row. */
export function readExplanation(json: string | undefined): Explanation | undefined {
  return json === undefined ? undefined : Object.freeze({ source: "list", ...(JSON.parse(json) as Omit<Explanation, "source">) });
}

/** Returns the configuration of the core's client. */
function machineConfig(options: PresenceClientOptions, { instanceId, device }: Identity): object {
  const known = platform().clientInfo();
  const { ip, ...given } = options.client ?? {};
  const { beacons = known.isPage, thresholds, backoff, token, password, scopes, deltas, handshakeMs } = options;
  return {
    client: {
      id: given.id ?? known.id,
      mode: given.mode ?? known.mode,
      version: given.version ?? VERSION,
      platform: given.platform ?? known.platform,
      displayName: given.displayName ?? known.displayName,
      deviceFamily: given.deviceFamily ?? known.deviceFamily,
      modelIdentifier: given.modelIdentifier,
      instanceId,
    },
    token,
    password,
    scopes,
    ip,
    device: device && { id: device.deviceId, publicKey: device.publicKey },
    beacons: beacons === true ? {} : beacons || undefined,
    backoff,
    thresholds,
    deltas,
    handshakeMs,
    seed: options.seed ?? randomSeed(),
  };
}
