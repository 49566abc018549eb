import type { PresenceError } from "./errors.js";

/**
 * How alive a row is by the age of its `ts`: at most 120 s is Active, at most 300 s Idle, older Stale.
 */
export type AgeStatus = "Active" | "Idle" | "Stale";

/**
 * The status that a row is displayed with: `Left` if its connection was closed, whatever its age, else its
 * {@link AgeStatus}. A row left if its reason is exactly `disconnect`; a row merged from several, if all of their reasons
 * are.
 */
export type Status = AgeStatus | "Left";

/**
 * One row of a presence list as it goes over the wire. What is not known is absent, never `null`.
 * Members that this version does not know are kept.
 */
export interface PresenceEntry {
  /** Human-readable host name. */
  readonly host?: string;
  /** Best-effort IP address. */
  readonly ip?: string;
  /** Version of the client. */
  readonly version?: string;
  /** Operating system as the client says it, such as `macos 26.1.0`. */
  readonly platform?: string;
  /** Hardware family, such as `Mac`, `iPhone` or `Linux`. */
  readonly deviceFamily?: string;
  /** Hardware model, such as `Mac16,6`. */
  readonly modelIdentifier?: string;
  /** What the client is: `gateway`, `ui`, `webchat`, `node`, ... */
  readonly mode?: string;
  /** Seconds between the last user input and `ts`. */
  readonly lastInputSeconds?: number;
  /** Why the row was last written: `self`, `connect`, `disconnect`, `periodic`, ... */
  readonly reason?: string;
  /** Stable identity of the client. */
  readonly instanceId?: string;
  /** Identity of the device: lower-case hex SHA-256 of its public key. */
  readonly deviceId?: string;
  /** Roles of the connections behind the row. */
  readonly roles?: readonly string[];
  /** Scopes of the connections behind the row. */
  readonly scopes?: readonly string[];
  /** The `client.id` of the last handshake, such as `openclaw-macos`. */
  readonly clientId?: string;
  /** IANA time zone of the client. */
  readonly timeZone?: string;
  /** The line a beacon sent, or one made of host and mode. */
  readonly text?: string;
  /** Start of the unbroken stay: ms since the Unix epoch on the gateway's clock. Present while somebody is connected. */
  readonly onlineSince?: number;
  /** When the user last gave input: ms since the Unix epoch on the gateway's clock. */
  readonly lastActivityAt?: number;
  /** The person behind the connection, where the gateway knows it: `id` is always there. */
  readonly user?: { readonly id: string; readonly [member: string]: unknown };
  /**
   * Name of the observed gateway that the row comes from, such as `home`; absent on the gateway's own rows, and in lists
   * without deltas. A row of mode `gateway` that has it is the observed gateway itself.
   */
  readonly gateway?: string;
  /** When the row was last written or touched: ms since the Unix epoch on the gateway's clock. */
  readonly ts?: number;
  /** Whatever else the gateway says. */
  readonly [member: string]: unknown;
}

/** One instance of the roster, ready to be shown. A frozen object; the same one while nothing of it changed. */
export interface PresenceRow {
  /** Identifies the row for as long as it is in the roster: use it as the key of a list. */
  readonly key: string;
  /** The entry, every member the gateway sent. */
  readonly entry: PresenceEntry;
  /** Human-readable host name. */
  readonly host: string | undefined;
  /** Best-effort IP address. */
  readonly ip: string | undefined;
  /** Version of the client. */
  readonly version: string | undefined;
  /** Operating system as the client says it; see {@link platformLabel}. */
  readonly platform: string | undefined;
  /** Hardware family. */
  readonly deviceFamily: string | undefined;
  /** Hardware model. */
  readonly modelIdentifier: string | undefined;
  /** What the client is: `gateway`, `ui`, `webchat`, `node`, ... */
  readonly mode: string | undefined;
  /** Why the row was last written; see {@link reasonLabel}. */
  readonly reason: string | undefined;
  /** Stable identity of the client. */
  readonly instanceId: string | undefined;
  /** Identity of the device. */
  readonly deviceId: string | undefined;
  /** Roles of the connections behind the row. */
  readonly roles: readonly string[];
  /** Scopes of the connections behind the row. */
  readonly scopes: readonly string[];
  /** The line a beacon sent, or one made of host and mode. */
  readonly text: string | undefined;
  /** When the row was last written or touched: ms since the Unix epoch on the gateway's clock. */
  readonly ts: number;

  /** How alive it is; `Left` if its connection was closed. */
  readonly status: Status;
  /**
   * Age in ms when this object was made. In a live roster the object is renewed when a word on it
   * changes, so the age may be up to a minute behind, an hour for ages above one.
   */
  readonly ageMs: number;
  /** The age as people read it: `just now`, `5m ago`, `yesterday`. */
  readonly ageText: string;
  /** The reason as people read it, such as `Heartbeat` for `periodic`; empty without a reason. */
  readonly reasonLabel: string;
  /** The platform as people read it, such as `macOS 26.1`; empty without a platform. */
  readonly platformLabel: string;
  /** Time since the last user input in ms when this object was made; absent when nobody knows. */
  readonly lastInputMs: number | undefined;
  /** The same as people read it; empty when nobody knows. */
  readonly lastInputText: string;
  /** Whether it is the gateway's own row. */
  readonly isSelf: boolean;
  /** Whether it is the row of the client that shows it. */
  readonly isOwn: boolean;
  /** Whether it did not leave: its {@link status} is not `Left`. Rows that only beacons keep count as connected. */
  readonly isConnected: boolean;
}

/** The roster at one moment. A frozen object; the same one while nothing changed. */
export interface RosterSnapshot {
  /** One row per instance, newest first. */
  readonly rows: readonly PresenceRow[];
  /** Whether the gateway has sent a list since the client was made. */
  readonly hasList: boolean;
  /** Whether there is no live connection: the rows age without news. */
  readonly isOffline: boolean;
  /** How the connection is. */
  readonly connection: ConnectionState;
}

/** How the connection is. */
export type ConnectionState =
  /** Not started, or stopped by the app. */
  | { readonly phase: "stopped" }
  /** On the way to the gateway. */
  | { readonly phase: "connecting" }
  /** Connected. */
  | {
      readonly phase: "live";
      /** The protocol spoken: 3 or 4. */
      readonly protocol: number;
      /** Version of the gateway; empty if it does not say. */
      readonly serverVersion: string;
      /** The id the gateway gave this connection; empty if it does not say. */
      readonly connId: string;
      /** One run of the gateway; gateways of protocol 3 do not tell. */
      readonly bootId?: string;
      /** The methods it answers. */
      readonly methods: readonly string[];
      /** The scopes granted; gateways of protocol 3 do not tell. */
      readonly scopes?: readonly string[];
      /** Whether the granted scopes let it read the roster; without them there is no list. */
      readonly canRead: boolean;
    }
  /** Lost or not reached; it tries again by itself. */
  | {
      readonly phase: "waiting";
      /** How long from the beginning of this phase until it tries again, in ms. */
      readonly retryInMs: number;
      /** Why the last try or connection ended. */
      readonly error: PresenceError;
    }
  /** The gateway does not want this client as it is. It tries no more until `start()` or `reconnect()`. */
  | {
      readonly phase: "refused";
      /** Why, and what to do. */
      readonly error: PresenceError;
    };

/** What is wrong in a gateway's list and how to mend it, as gateways and `presence-gateway doctor --json` write it. */
export interface FindingReport {
  /** What was found, for programs: `presence/` and the code with hyphens. The members up to `fixHint` are those of OpenClaw's doctor. */
  readonly checkId: string;
  /** `info`: a healthy system can have it. `warning`: the list misleads, or is about to. `error`: the list is wrong. */
  readonly severity: "info" | "warning" | "error";
  /** Title and evidence in one text. */
  readonly message: string;
  /** The key of the first row; absent if it is about the list as a whole. */
  readonly target?: string;
  /** What to change in the client, in a sentence. */
  readonly fixHint: string;
  /** What was found, for programs. */
  readonly code: FindingCode;
  /** What was found, in a sentence. */
  readonly title: string;
  /** How sure it is. `low`: there is a harmless explanation that is about as likely. */
  readonly confidence: "low" | "medium" | "high";
  /** What says so, in sentences. */
  readonly evidence: readonly string[];
  /** The keys of the rows. */
  readonly rows: readonly string[];
}

/** What is wrong in a gateway's list, most often that several rows are one client, and how to mend it. */
export interface Finding extends FindingReport {
  /** The same as `fixHint`. */
  readonly fix: string;
  /** The gateway's rows, in the order of its list. */
  readonly entries: readonly PresenceEntry[];
  /** Their places in the gateway's list, from 0 on. */
  readonly indexes: readonly number[];
}

/**
 * | code | |
 * |---|---|
 * | `PLACEHOLDER_ID` | an id such as `undefined`, `null` or the nil UUID |
 * | `ID_SPELLING` | ids that differ by case, blanks or Unicode form only |
 * | `NO_INSTANCE_ID` | a handshake came without an `instanceId` |
 * | `BEACON_ID_DIFFERS` | a client's beacons carry another id than its handshake |
 * | `STALE_DISCONNECT` | a `disconnect` row is left beside a live one of the same client |
 * | `SAME_MACHINE` | the same host, ip and version under two ids |
 * | `NO_ADDRESS` | a connected app or node has no ip in its row |
 * | `NEAR_CAP` | the list is nearly full |
 *
 * Only a gateway of this project finds the others, from what it remembers.
 */
export type FindingCode =
  | "PLACEHOLDER_ID"
  | "ID_SPELLING"
  | "NO_INSTANCE_ID"
  | "BEACON_ID_DIFFERS"
  | "STALE_DISCONNECT"
  | "SAME_MACHINE"
  | "NO_ADDRESS"
  | "NEAR_CAP"
  | "NEW_ID_EACH_CONNECT"
  | "ID_IN_TWO_PLACES"
  | "TWO_SOCKETS"
  | "FLAPPING"
  | "CLIENT_CLOCK"
  | "EVICTIONS"
  | "BEACONS_TOO_OFTEN";
