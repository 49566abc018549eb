import type { Abortable } from "./abort.js";
import type { FindingReport, PresenceEntry } from "./types.js";

/** Parameter and result types of a gateway's methods, by name. */
export interface GatewayMethods {
  /** The presence list. */
  "system-presence": { params: NoParams; result: readonly PresenceEntry[] };
  /** The presence list with the versions that deltas require; only on gateways that send deltas. */
  "presence.snapshot": {
    params: NoParams;
    result: {
      readonly presence: readonly PresenceEntry[];
      readonly keys: readonly string[];
      readonly version: number;
      readonly digest: string;
    };
  };
  /**
   * Findings from the gateway's memory; with `row`, a key, also the explanation of that row. Only on gateways of this
   * project.
   */
  "presence.explain": {
    params: { readonly row?: string } | undefined;
    result: {
      readonly source: "gateway";
      readonly findings: readonly FindingReport[];
      /** Number of findings omitted for lack of room. */
      readonly findingsLeftOut?: number;
      /** Ids of all checks that ran; absent with `row`. */
      readonly checks?: readonly string[];
      /** Present if `row` was given. */
      readonly row?: GatewayExplanation;
    };
  };
  /** Sessions of instances, newest first; only on gateways with a history. Times are in ms since the Unix epoch. */
  "presence.history": {
    params: HistoryParams | undefined;
    result: {
      readonly sessions: readonly PastSession[];
      /** The last known entry of each of their instances, by key, without members for times. */
      readonly instances: Readonly<Record<string, PresenceEntry>>;
      /** `cursor` of the next page; absent on the last page. */
      readonly next?: string;
    };
  };
  /** Sends a beacon about any instance. */
  "system-event": { params: BeaconParams; result: { readonly ok: true } };
  /** The gateway's health. */
  health: { params: { readonly probe?: boolean } | undefined; result: GatewayAnswer & { readonly ok: boolean; readonly ts: number } };
  /** The gateway's versions and counters. */
  status: { params: NoParams; result: GatewayAnswer };
  /** The agent's last heartbeat. */
  "last-heartbeat": { params: NoParams; result: unknown };
  "set-heartbeats": { params: { readonly enabled: boolean }; result: { readonly ok: true; readonly enabled: boolean } };
  /** The nodes: connected ones, and those that left recently. */
  "node.list": { params: NoParams; result: { readonly ts: number; readonly nodes: readonly GatewayNode[] } };
  /** One node. */
  "node.describe": { params: { readonly nodeId: string }; result: GatewayNode & { readonly ts: number } };
  "node.pair.list": { params: NoParams; result: { readonly pending: readonly unknown[]; readonly paired: readonly GatewayNode[] } };
  "device.pair.list": { params: NoParams; result: { readonly pending: readonly unknown[]; readonly paired: readonly unknown[] } };
  "agents.list": { params: NoParams; result: GatewayAnswer & { readonly agents: readonly unknown[] } };
  "config.get": { params: NoParams; result: GatewayAnswer & { readonly valid: boolean } };
}

/** Filters of a history request. */
export interface HistoryParams {
  /** Only instances with this key, `instanceId`, `deviceId` or host. */
  readonly instance?: string;
  /** Only sessions that lasted until this time or later. */
  readonly since?: number;
  /** Only sessions that began before this time. */
  readonly until?: number;
  /** Only the latest session of each instance. */
  readonly latest?: boolean;
  /** Maximum number of sessions; 200 if absent, at most 500. */
  readonly limit?: number;
  /** `next` of the previous page. */
  readonly cursor?: string;
}

/** One session of the history. */
export interface PastSession {
  readonly key: string;
  readonly from: number;
  /** End of the session; absent while it continues. */
  readonly to?: number;
  /** The last proof of life. */
  readonly seen: number;
  /** Whether the client was connected; otherwise it is known by beacons only. */
  readonly connected: boolean;
  /** Why it ended: `closed`, `silent`, `stated`, `expired`, `evicted`, `replaced`, `stopped`, `crashed` or `lost`. */
  readonly why?: string;
  /** Periods of more than two minutes without a proof of life, as [start, end]. */
  readonly silences?: readonly (readonly [number, number])[];
}

type NoParams = Readonly<Record<string, never>> | undefined;

/** An answer whose members differ between gateways. */
export interface GatewayAnswer {
  readonly [member: string]: unknown;
}

/** Parameters of a beacon: the text, and members of the row. */
export type BeaconParams = Pick<
  PresenceEntry,
  | "deviceId"
  | "instanceId"
  | "host"
  | "ip"
  | "mode"
  | "version"
  | "platform"
  | "deviceFamily"
  | "modelIdentifier"
  | "lastInputSeconds"
  | "reason"
  | "roles"
  | "scopes"
> & { readonly text: string; readonly tags?: readonly string[] };

/** The gateway's explanation of a row. Ages are in ms. */
export interface GatewayExplanation {
  readonly key: string;
  readonly keyFrom: "instanceId" | "deviceId" | "host" | "ip" | "text" | "connection" | "self" | "gateway";
  /** Why the row has this key, in a sentence. */
  readonly why: string;
  /** The observed gateway that the row comes from. */
  readonly gateway?: string;
  /** Each member with its last writer. */
  readonly members: readonly {
    readonly name: string;
    readonly value: unknown;
    readonly from: "handshake" | "beacon" | "node-event" | "gateway" | "derived" | "list";
    readonly connId?: string;
    /** Program and name of the writer. */
    readonly by?: string;
    readonly ageMs: number;
  }[];
  /** The live connections, newest first. */
  readonly connections?: readonly {
    readonly connId: string;
    readonly clientId: string;
    readonly mode: string;
    readonly role: string;
    readonly ip?: string;
    readonly sinceMs: number;
  }[];
  /** Events of the row, newest first. */
  readonly events?: readonly { readonly ageMs: number; readonly what: string; readonly text: string }[];
  /** `null` if the row's age does not remove it. */
  readonly expiresInMs: number | null;
  /** When and why the row will be removed, in a sentence. */
  readonly ends: string;
}

/**
 * The explanation of a row: from the memory of a gateway of this project, else derived from the list alone, which has
 * less detail.
 */
export interface Explanation extends Omit<GatewayExplanation, "keyFrom" | "members"> {
  readonly source: "gateway" | "list";
  readonly keyFrom: GatewayExplanation["keyFrom"] | "list";
  /** Each member with its last writer, or with the gateway's row that it comes from. */
  readonly members: readonly ExplainedMember[];
  /** The keys of the gateway's rows behind this one; in a list without keys their 0-based indexes. */
  readonly rows: readonly string[];
  /** Findings about the row; only from a gateway's memory. */
  readonly findings?: readonly FindingReport[];
}

/** A member of a row, and its origin. */
export interface ExplainedMember extends Partial<Pick<GatewayExplanation["members"][number], "connId" | "by" | "ageMs">> {
  readonly name: string;
  readonly value: unknown;
  readonly from: GatewayExplanation["members"][number]["from"];
  /** The key of the gateway's row that the member comes from. */
  readonly row?: string;
}

/** A node as the methods `node.*` return it. */
export interface GatewayNode extends GatewayAnswer {
  readonly nodeId: string;
  readonly displayName?: string;
  readonly platform?: string;
  readonly version?: string;
  readonly deviceFamily?: string;
  readonly modelIdentifier?: string;
  readonly remoteIp?: string;
  readonly caps?: readonly string[];
  readonly commands?: readonly string[];
  readonly paired?: boolean;
  readonly connected?: boolean;
  /** Ms since the Unix epoch on the gateway's clock, as the other members `...AtMs`. */
  readonly connectedAtMs?: number;
  readonly lastSeenAtMs?: number;
  readonly lastSeenReason?: string;
  readonly lastActiveAtMs?: number;
}

/** The parameters of a method; `unknown` for a method without types. */
export type RequestParams<M extends string> = M extends keyof GatewayMethods ? GatewayMethods[M]["params"] : unknown;

/** The answer of a method; `unknown` for a method without types. */
export type RequestResult<M extends string> = M extends keyof GatewayMethods ? GatewayMethods[M]["result"] : unknown;

/** The arguments of a request after the method's name. */
export type RequestArguments<M extends string> =
  undefined extends RequestParams<M>
    ? [params?: RequestParams<M>, options?: Abortable]
    : [params: RequestParams<M>, options?: Abortable];
