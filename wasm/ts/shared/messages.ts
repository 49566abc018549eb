import { PresenceError, type PresenceErrorCode } from "../errors.js";
import type { ConnectionState, PresenceEntry, PresenceRow } from "../types.js";

/** Version of the messages, part of the channel's name: tabs that use another version form another group. */
export const MESSAGES_VERSION = 1;

/** Messages between tabs. `from` and `leader` are ids of tabs. */
export type Message =
  /** A tab is present, visible or not; the leader answers. `needsWhole`: it missed messages, so it needs the whole roster. */
  | { readonly type: "here"; readonly isVisible: boolean; readonly needsWhole: boolean }
  /** The user gave input in a tab. */
  | { readonly type: "input" }
  | Call
  /** The leader is present. `seq`: number of roster messages it has sent. */
  | { readonly type: "alive"; readonly leader: string; readonly seq: number }
  | RosterMessage
  | { readonly type: "answer"; readonly to: string; readonly id: number; readonly payload?: unknown; readonly error?: PlainError }
  | { readonly type: "notice"; readonly error: PlainError }
  | { readonly type: "shutdown"; readonly reason: string; readonly restartExpectedMs: number | undefined };

/** A call for the leader to execute. */
export type Call = {
  readonly type: "call";
  /** The addressed tab. */
  readonly leader: string | undefined;
  /** Wall-clock time of the call: a tab that was frozen must not execute calls that were abandoned meanwhile. */
  readonly atMs: number;
  readonly from: string;
  readonly id: number;
  /** A method of the gateway, or an action of the client. */
  readonly act: "request" | "beacon" | "explain" | "start" | "reconnect";
  readonly name: string;
  /** Parameters as JSON. */
  readonly params?: string | undefined;
};

/** The changes of the leader's roster since the previous message, or the whole roster. */
export interface RosterMessage {
  readonly type: "roster";
  readonly leader: string;
  /** Sequence number of the leader's roster messages. */
  readonly seq: number;
  /** Whether `changed` contains all rows. */
  readonly isWhole: boolean;
  readonly changed: readonly SharedRow[];
  /** Keys of all rows in list order; absent if unchanged. */
  readonly keys?: readonly string[] | undefined;
  readonly hasList: boolean;
  readonly isOffline: boolean;
  readonly connection: PlainConnection;
  readonly instanceId: string | undefined;
}

/** A row with the rows of the gateway's list that it is merged from. */
export interface SharedRow {
  readonly row: PresenceRow;
  readonly raw: readonly PresenceEntry[];
}

/** An error without its class, which messages cannot transfer. */
export interface PlainError {
  readonly code: PresenceErrorCode;
  readonly message: string;
  readonly detail: string | undefined;
  readonly remedy: string | undefined;
}

type Plain<T> = T extends { readonly error: PresenceError } ? Omit<T, "error"> & { readonly error: PlainError } : T;
type PlainConnection = Plain<ConnectionState>;

export function plainError({ code, message, detail, remedy }: PresenceError): PlainError {
  return { code, message, detail, remedy };
}

export function errorOfPlain({ code, message, detail, remedy }: PlainError): PresenceError {
  return new PresenceError(code, message, { detail, remedy });
}

export function plainConnection(state: ConnectionState): PlainConnection {
  return "error" in state ? { ...state, error: plainError(state.error) } : state;
}

export function connectionOfPlain(state: PlainConnection): ConnectionState {
  return Object.freeze("error" in state ? { ...state, error: errorOfPlain(state.error) } : state);
}
