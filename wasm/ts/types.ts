import type { PresenceError } from "./errors.js";

/**
 * The status by the age of a row's `ts`: at most 120 s is Active, at most 300 s Idle, older Stale.
 */
export type AgeStatus = "Active" | "Idle" | "Stale";

/**
 * The status that a row is displayed with: `Left` if its connection was closed, whatever its age, else its
 * {@link AgeStatus}. A row left if its reason is exactly `disconnect`; a row merged from several, if all of their reasons
 * are.
 */
export type Status = AgeStatus | "Left";

/**
 * One row of a presence list, as on the wire. Unknown values are absent, never `null`. Members that this version does
 * not list are kept.
 */
export interface PresenceEntry {
  /** Human-readable host name. */
  readonly host?: string;
  /** Best-effort IP address. */
  readonly ip?: string;
  /** Version of the client. */
  readonly version?: string;
  /** Operating system as the client states it, such as `macos 26.1.0`. */
  readonly platform?: string;
  /** Hardware family, such as `Mac`, `iPhone` or `Linux`. */
  readonly deviceFamily?: string;
  /** Hardware model, such as `Mac16,6`. */
  readonly modelIdentifier?: string;
  /** Kind of client: `gateway`, `ui`, `webchat`, `node`, ... */
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
  /** Text of a beacon, or a line composed of host and mode. */
  readonly text?: string;
  /**
   * Start of the current uninterrupted presence: ms since the Unix epoch on the gateway's clock. Present while a
   * client is connected.
   */
  readonly onlineSince?: number;
  /** Time of the last user input: ms since the Unix epoch on the gateway's clock. */
  readonly lastActivityAt?: number;
  /** The person behind the connection, where the gateway identified it; `id` is always present. */
  readonly user?: { readonly id: string; readonly [member: string]: unknown };
  /**
   * Name of the observed gateway that the row comes from, such as `home`; absent on the gateway's own rows, and in lists
   * without deltas. A row of mode `gateway` that has it is the observed gateway itself.
   */
  readonly gateway?: string;
  /** When the row was last written or touched: ms since the Unix epoch on the gateway's clock. */
  readonly ts?: number;
  /** All other members that the gateway sends. */
  readonly [member: string]: unknown;
}

/** One instance of the roster, prepared for display. A frozen object, identical as long as nothing in it changed. */
export interface PresenceRow {
  /** Identifies the row as long as it is in the roster; use it as the key in lists. */
  readonly key: string;
  /** The entry with every member that the gateway sent. */
  readonly entry: PresenceEntry;
  /** Human-readable host name. */
  readonly host: string | undefined;
  /** Best-effort IP address. */
  readonly ip: string | undefined;
  /** Version of the client. */
  readonly version: string | undefined;
  /** Operating system as the client states it; see {@link platformLabel}. */
  readonly platform: string | undefined;
  /** Hardware family. */
  readonly deviceFamily: string | undefined;
  /** Hardware model. */
  readonly modelIdentifier: string | undefined;
  /** Kind of client: `gateway`, `ui`, `webchat`, `node`, ... */
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
  /** Text of a beacon, or a line composed of host and mode. */
  readonly text: string | undefined;
  /** When the row was last written or touched: ms since the Unix epoch on the gateway's clock. */
  readonly ts: number;

  /** Presence status; `Left` if its connection was closed. */
  readonly status: Status;
  /**
   * Age in ms when this object was created. A live roster renews the object when its words change, so the age lags by
   * up to a minute, above one hour by up to an hour.
   */
  readonly ageMs: number;
  /** The age in words: `just now`, `5m ago`, `yesterday`. */
  readonly ageText: string;
  /** The reason in words, such as `Heartbeat` for `periodic`; empty without a reason. */
  readonly reasonLabel: string;
  /** The platform in words, such as `macOS 26.1`; empty without a platform. */
  readonly platformLabel: string;
  /** Time since the last user input in ms when this object was created; absent if unknown. */
  readonly lastInputMs: number | undefined;
  /** That time in words; empty if unknown. */
  readonly lastInputText: string;
  /** Whether it is the gateway's own row. */
  readonly isSelf: boolean;
  /** Whether it is the row of the client that displays it. */
  readonly isOwn: boolean;
  /**
   * Whether the row did not leave: its {@link status} is not `Left`. Rows that only beacons keep count as connected.
   */
  readonly isConnected: boolean;
}

/** The roster at one moment. A frozen object, identical as long as nothing changed. */
export interface RosterSnapshot {
  /** One row per instance, newest first. */
  readonly rows: readonly PresenceRow[];
  /** Whether {@link rows} are a list from the gateway. `false` before the first list, and without the right to read. */
  readonly hasList: boolean;
  /** Whether there is no live connection, so that the rows age without updates. */
  readonly isOffline: boolean;
  /** The state of the connection. */
  readonly connection: ConnectionState;
}

/** The state of a client's connection. */
export type ConnectionState =
  /** Not started, or stopped by the app. */
  | { readonly phase: "stopped" }
  /** Connecting to the gateway. */
  | { readonly phase: "connecting" }
  /** Connected. */
  | {
      readonly phase: "live";
      /** The protocol spoken: 3 or 4. */
      readonly protocol: number;
      /** Version of the gateway; empty if unknown. */
      readonly serverVersion: string;
      /** The gateway's id of this connection; empty if unknown. */
      readonly connId: string;
      /** Identifies one run of the gateway; absent on protocol 3. */
      readonly bootId?: string;
      /** The methods that the gateway supports. */
      readonly methods: readonly string[];
      /** The granted scopes; absent on protocol 3. */
      readonly scopes?: readonly string[];
      /** Whether the granted scopes allow this client to read the roster; without them there is no list. */
      readonly canRead: boolean;
    }
  /** Lost or not reached; the client tries again by itself. */
  | {
      readonly phase: "waiting";
      /** Delay from the start of this phase to the next try, in ms. */
      readonly retryInMs: number;
      /** Why the last try or connection ended. */
      readonly error: PresenceError;
    }
  /** The gateway refused this client. It does not try again until `start()` or `reconnect()`. */
  | {
      readonly phase: "refused";
      /** The reason, and the remedy. */
      readonly error: PresenceError;
    };

/** A problem in a gateway's list and its fix, as written by gateways and `presence-gateway doctor --json`. */
export interface FindingReport {
  /**
   * Id of the check, for programs: `presence/` and the code with hyphens. The members up to `fixHint` are those of
   * OpenClaw's doctor.
   */
  readonly checkId: string;
  /**
   * `info`: also found in healthy systems. `warning`: the list is misleading, or is about to be. `error`: the list is
   * wrong.
   */
  readonly severity: "info" | "warning" | "error";
  /** Title and evidence in one text. */
  readonly message: string;
  /** Key of the first row; absent if the finding is about the whole list. */
  readonly target?: string;
  /** What to change in the client, in a sentence. */
  readonly fixHint: string;
  /** Code of the finding, for programs. */
  readonly code: FindingCode;
  /** The finding in one sentence. */
  readonly title: string;
  /** How certain the finding is. `low`: a harmless explanation is about as likely. */
  readonly confidence: "low" | "medium" | "high";
  /** The evidence, in sentences. */
  readonly evidence: readonly string[];
  /** The keys of the rows. */
  readonly rows: readonly string[];
}

/** A problem in a gateway's list, most often several rows that are one client, and its fix. */
export interface Finding extends FindingReport {
  /** Equal to `fixHint`. */
  readonly fix: string;
  /** The gateway's rows, in the order of its list. */
  readonly entries: readonly PresenceEntry[];
  /** 0-based indexes of these rows in the gateway's list. */
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
 * The other codes are found only by gateways of this project, from their memory.
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
