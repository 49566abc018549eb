import { PresenceError, type PresenceErrorCode } from "../errors.js";
import type { ConnectionState, PresenceEntry, PresenceRow } from "../types.js";

/** Version of the messages, part of the channel's name: tabs of an app that was updated meanwhile are another group. */
export const MESSAGES_VERSION = 1;

/** What tabs say to each other. `from` and `leader` are ids of tabs. */
export type Message =
  /** A tab is there, and visible or not; the leader answers. `needsWhole`: messages are missing, so it needs the whole roster. */
  | { readonly type: "here"; readonly isVisible: boolean; readonly needsWhole: boolean }
  /** The user gave input in a tab. */
  | { readonly type: "input" }
  | Call
  /** The leader is there. `seq`: how many roster messages it sent. */
  | { readonly type: "alive"; readonly leader: string; readonly seq: number }
  | RosterMessage
  | { readonly type: "answer"; readonly to: string; readonly id: number; readonly payload?: unknown; readonly error?: PlainError }
  | { readonly type: "notice"; readonly error: PlainError }
  | { readonly type: "shutdown"; readonly reason: string; readonly restartExpectedMs: number | undefined };

/** Asks the leader to do something. */
export type Call = {
  readonly type: "call";
  /** The tab that is addressed. */
  readonly leader: string | undefined;
  /** When it was made, on the wall clock: a tab that was frozen must not carry out what was given up meanwhile. */
  readonly atMs: number;
  readonly from: string;
  readonly id: number;
  /** A method of the gateway, or what a client does by itself. */
  readonly act: "request" | "beacon" | "explain" | "start" | "reconnect";
  readonly name: string;
  /** Parameters as JSON. */
  readonly params?: string | undefined;
};

/** What became different in the leader's roster since the message before, or all of it. */
export interface RosterMessage {
  readonly type: "roster";
  readonly leader: string;
  /** Counts the leader's messages of this type. */
  readonly seq: number;
  /** Whether `changed` are all rows. */
  readonly isWhole: boolean;
  readonly changed: readonly SharedRow[];
  /** The keys of all rows in list order; absent: as they were. */
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

/** An error without its class, which messages cannot carry. */
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
