import type { Abortable } from "./abort.js";
import type { FindingReport, PresenceEntry } from "./types.js";

/** The methods of a gateway with typed parameters and answers, by name. */
export interface GatewayMethods {
  /** The presence list. */
  "system-presence": { params: NoParams; result: readonly PresenceEntry[] };
  /** The presence list with what deltas need; only gateways that send deltas have it. */
  "presence.snapshot": {
    params: NoParams;
    result: {
      readonly presence: readonly PresenceEntry[];
      readonly keys: readonly string[];
      readonly version: number;
      readonly digest: string;
    };
  };
  /** What is wrong, from the gateway's memory; of one row, by its key, also what explains it. Only gateways of this project have it. */
  "presence.explain": {
    params: { readonly row?: string } | undefined;
    result: {
      readonly source: "gateway";
      readonly findings: readonly FindingReport[];
      /** How many findings had no room. */
      readonly findingsLeftOut?: number;
      /** The ids of all checks that ran; without `row`. */
      readonly checks?: readonly string[];
      /** Present if `row` was given. */
      readonly row?: GatewayExplanation;
    };
  };
  /** Who was here from when to when, newest first; only gateways with a history have it. Times are in ms since 1970. */
  "presence.history": {
    params: HistoryParams | undefined;
    result: {
      readonly sessions: readonly PastSession[];
      /** The last known entry of each of their instances, by key, without members that state times. */
      readonly instances: Readonly<Record<string, PresenceEntry>>;
      /** The `cursor` of the next page; absent on the last. */
      readonly next?: string;
    };
  };
  /** A beacon about any instance. */
  "system-event": { params: BeaconParams; result: { readonly ok: true } };
  /** The gateway's health. */
  health: { params: { readonly probe?: boolean } | undefined; result: GatewayAnswer & { readonly ok: boolean; readonly ts: number } };
  /** The gateway's versions and counters. */
  status: { params: NoParams; result: GatewayAnswer };
  /** The agent's last heartbeat. */
  "last-heartbeat": { params: NoParams; result: unknown };
  "set-heartbeats": { params: { readonly enabled: boolean }; result: { readonly ok: true; readonly enabled: boolean } };
  /** The nodes: connected, or gone a while ago. */
  "node.list": { params: NoParams; result: { readonly ts: number; readonly nodes: readonly GatewayNode[] } };
  /** One node. */
  "node.describe": { params: { readonly nodeId: string }; result: GatewayNode & { readonly ts: number } };
  "node.pair.list": { params: NoParams; result: { readonly pending: readonly unknown[]; readonly paired: readonly GatewayNode[] } };
  "device.pair.list": { params: NoParams; result: { readonly pending: readonly unknown[]; readonly paired: readonly unknown[] } };
  "agents.list": { params: NoParams; result: GatewayAnswer & { readonly agents: readonly unknown[] } };
  "config.get": { params: NoParams; result: GatewayAnswer & { readonly valid: boolean } };
}

/** Which sessions of the history are asked for. */
export interface HistoryParams {
  /** Only of instances with this key, `instanceId`, `deviceId` or host. */
  readonly instance?: string;
  /** Only sessions that went on at this time or later. */
  readonly since?: number;
  /** Only sessions that began before this time. */
  readonly until?: number;
  /** Only the latest session of each instance. */
  readonly latest?: boolean;
  /** Maximum number of sessions; 200 if absent, at most 500. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly cursor?: string;
}

/** One session of the history. */
export interface PastSession {
  readonly key: string;
  readonly from: number;
  /** Absent while it goes on. */
  readonly to?: number;
  /** The last proof of life. */
  readonly seen: number;
  /** Whether the client was connected; else known by beacons only. */
  readonly connected: boolean;
  /** Why it ended: `closed`, `silent`, `expired`, `evicted`, `replaced`, `stopped`, `crashed` or `lost`. */
  readonly why?: string;
  /** From when to when nothing was heard of it, for more than two minutes each. */
  readonly silences?: readonly (readonly [number, number])[];
}

type NoParams = Readonly<Record<string, never>> | undefined;

/** An answer with members that differ between gateways. */
export interface GatewayAnswer {
  readonly [member: string]: unknown;
}

/** A beacon's parameters: the text, and members of the row. */
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

/** Why a row is as it is, as the gateway remembers it. Ages are in ms. */
export interface GatewayExplanation {
  readonly key: string;
  readonly keyFrom: "instanceId" | "deviceId" | "host" | "ip" | "text" | "connection" | "self" | "gateway";
  /** Why this key, in a sentence. */
  readonly why: string;
  /** The observed gateway that has the row. */
  readonly gateway?: string;
  /** Each member with its last writer. */
  readonly members: readonly {
    readonly name: string;
    readonly value: unknown;
    readonly from: "handshake" | "beacon" | "node-event" | "gateway" | "derived" | "list";
    readonly connId?: string;
    /** The program and the name of the writer. */
    readonly by?: string;
    readonly ageMs: number;
  }[];
  /** The live connections, the newest first. */
  readonly connections?: readonly {
    readonly connId: string;
    readonly clientId: string;
    readonly mode: string;
    readonly role: string;
    readonly ip?: string;
    readonly sinceMs: number;
  }[];
  /** What happened to the row, the newest first. */
  readonly events?: readonly { readonly ageMs: number; readonly what: string; readonly text: string }[];
  /** `null` if the row does not go by its age. */
  readonly expiresInMs: number | null;
  /** When and why it goes, in a sentence. */
  readonly ends: string;
}

/** Why a row is as it is: from the memory of a gateway of this project, else from the list alone, which shows less. */
export interface Explanation extends Omit<GatewayExplanation, "keyFrom" | "members"> {
  readonly source: "gateway" | "list";
  readonly keyFrom: GatewayExplanation["keyFrom"] | "list";
  /** Each member with its last writer, or with the gateway's row that it is from. */
  readonly members: readonly ExplainedMember[];
  /** The keys of the gateway's rows behind this one; in a list without keys their places, from 0 on. */
  readonly rows: readonly string[];
  /** What is wrong with the row; only of a gateway. */
  readonly findings?: readonly FindingReport[];
}

/** A member of a row, and where it is from. */
export interface ExplainedMember extends Partial<Pick<GatewayExplanation["members"][number], "connId" | "by" | "ageMs">> {
  readonly name: string;
  readonly value: unknown;
  readonly from: GatewayExplanation["members"][number]["from"];
  /** The key of the gateway's row that it is from. */
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

/** What follows the name of a method in a request. */
export type RequestArguments<M extends string> =
  undefined extends RequestParams<M>
    ? [params?: RequestParams<M>, options?: Abortable]
    : [params: RequestParams<M>, options?: Abortable];
