import { DISPOSE } from "../disposable.js";
import { asPresenceError, freed } from "../errors.js";
import type { GatewayExplanation, GatewayMethods } from "../methods.js";
import type { Finding, FindingReport, PresenceEntry } from "../types.js";
import { simulator, type WasmRecording } from "./load.js";

/** The first line of a recording: what the recorded gateway was started with. */
export interface RecordingHeader {
  /** Version of the format. */
  readonly format: number;
  /** Version of the gateway. */
  readonly version: string;
  /** How long a row lives after its last proof of life, in ms. */
  readonly ttlMs: number;
  /** Most rows, the gateway's own included. */
  readonly maxEntries: number;
  /** The longest ping interval, in ms. */
  readonly pingIntervalMs: number;
  /** Modes whose clients make no row. */
  readonly ephemeralModes: readonly string[];
  /** The gateway's own row. */
  readonly own: PresenceEntry;
}

/** Other bounds than the recorded gateway had. */
export interface RecordingBounds {
  /** How long a row lives after its last proof of life, in ms. @default the recorded gateway's */
  ttlMs?: number | undefined;
  /** Most rows, the gateway's own included. @default the recorded gateway's */
  maxEntries?: number | undefined;
}

/** The roster of a recorded gateway at one moment. */
export interface RecordedMoment {
  /** The moment, in ms after the start of the recording. */
  readonly atMs: number;
  /** The same on the gateway's wall clock, in ms since the Unix epoch. */
  readonly wallMs: number;
  /** The rows, newest first. Names, ids and addresses are pseudonyms. */
  readonly rows: readonly PresenceEntry[];
  /** The keys of the rows. */
  readonly keys: readonly string[];
  /** What is wrong, from the memory of the gateway; of what is before a checkpoint at the start it knows nothing. */
  readonly findings: readonly Finding[];
  /** Number of findings that had no room in the gateway's answer. */
  readonly findingsLeftOut: number;
  /** The digest of the rows: 16 hex digits. Under the recorded bounds it is the gateway's own. */
  readonly digest: string;
  /** Inputs until then. */
  readonly inputs: number;
  /** Inputs until then that were not recorded; with any, the rows are inexact. */
  readonly missing: number;
  /** Most rows, under these bounds. */
  readonly maxEntries: number;
  /** Why the recording ends here, with the line, if it can be replayed no further. */
  readonly problem?: string;
}

/** Why a row is as it is, from the memory of the recorded gateway, and what is wrong with it. */
export type RecordedExplanation = GatewayExplanation & { readonly findings: readonly FindingReport[] };

/** Something that happened to a row. */
export interface RecordedChange {
  /** When, in ms after the start of the recording. */
  readonly atMs: number;
  /** The key of the row. */
  readonly key: string;
  /** What, in a word: `added`, `changed`, or one of the events of an explanation. */
  readonly what: string;
  /** What happened and why, in a sentence. */
  readonly text: string;
}

interface Summary {
  readonly header: RecordingHeader;
  readonly startMs: number;
  readonly durationMs: number;
  readonly inputs: number;
  readonly missing: number;
  readonly problem: string | null;
}

/**
 * A file of `presence-gateway serve --record`, replayed here with the digests of the gateway, bit for bit.
 *
 * ```ts
 * const recording = openRecording(await file.text());
 * recording.at(60_000).rows; // a minute after its start
 * recording.at(60_000, { ttlMs: 30_000 }).rows; // as a gateway with another TTL would have had them
 * ```
 *
 * Any moment is reached from one of at most 64 copies of the replay that are kept in memory, and as many under the
 * bounds that were asked for last; the first moment under other bounds costs a replay from the start.
 */
export class Recording {
  #wasm: WasmRecording | undefined;
  readonly #summary: Summary;

  /** @internal */
  constructor(wasm: WasmRecording) {
    this.#wasm = wasm;
    this.#summary = JSON.parse(wasm.summary()) as Summary;
  }

  /** What the gateway was started with. */
  get header(): RecordingHeader {
    return this.#summary.header;
  }

  /** The start, in ms since the Unix epoch on the gateway's wall clock. */
  get startMs(): number {
    return this.#summary.startMs;
  }

  /** How long it is, in ms, up to the last line that can be replayed. */
  get durationMs(): number {
    return this.#summary.durationMs;
  }

  /** Number of inputs of the gateway up to there. */
  get inputs(): number {
    return this.#summary.inputs;
  }

  /** Number of inputs that were not recorded; the rows after them are inexact. */
  get missing(): number {
    return this.#summary.missing;
  }

  /** Why not all of it can be replayed, with the line: it is cut off, or was changed. */
  get problem(): string | undefined {
    return this.#summary.problem ?? undefined;
  }

  /**
   * The roster at a moment, in ms after the start; at most {@link durationMs}.
   *
   * @throws {PresenceError} `INVALID_ARGUMENT` names the bad argument; `FREED`.
   */
  at(ms: number, bounds: RecordingBounds = {}): RecordedMoment {
    const { problem, answer, ...moment } = this.#ask((wasm) => JSON.parse(wasm.at(ms, boundsText(bounds))));
    const found = { findings: findingsOf(answer?.findings ?? [], moment), findingsLeftOut: answer?.findingsLeftOut ?? 0 };
    return problem === null ? { ...moment, ...found } : { ...moment, ...found, problem };
  }

  /**
   * Why the row with that key is as it is at a moment; nothing: there is no such row.
   *
   * @throws {PresenceError} `INVALID_ARGUMENT` names the bad argument; `FREED`.
   */
  explain(key: string, ms: number, bounds: RecordingBounds = {}): RecordedExplanation | undefined {
    const text = this.#ask((wasm) => wasm.explain(key, ms, boundsText(bounds)));
    if (text === undefined) return undefined;
    const { row, findings } = JSON.parse(text) as GatewayMethods["presence.explain"]["result"];
    return row && { ...row, findings };
  }

  /**
   * What happened to rows after one moment and until another, oldest first: at most the newest 10,000 changes.
   *
   * @throws {PresenceError} `INVALID_ARGUMENT` names the bad argument; `FREED`.
   */
  changes(fromMs: number, untilMs: number, bounds: RecordingBounds = {}): readonly RecordedChange[] {
    return JSON.parse(this.#ask((wasm) => wasm.changes(fromMs, untilMs, boundsText(bounds))));
  }

  #ask<T>(ask: (wasm: WasmRecording) => T): T {
    if (!this.#wasm) throw freed("recording");
    try {
      return ask(this.#wasm);
    } catch (error) {
      throw asPresenceError(error);
    }
  }

  /** Gives its memory back; twice does nothing. */
  free(): void {
    this.#wasm?.free();
    this.#wasm = undefined;
  }

  [DISPOSE](): void {
    this.free();
  }
}

/** The core takes no other members. */
function boundsText({ ttlMs, maxEntries }: RecordingBounds): string {
  return JSON.stringify({ ttlMs, maxEntries });
}

/** Findings with their rows, as a client has them. */
function findingsOf(reports: readonly FindingReport[], { keys, rows }: Pick<RecordedMoment, "keys" | "rows">): readonly Finding[] {
  const places = new Map(keys.map((key, index) => [key, index]));
  return reports.map((report) => {
    const indexes = report.rows.flatMap((key) => places.get(key) ?? []);
    return { ...report, fix: report.fixHint, indexes, entries: indexes.map((index) => rows[index] ?? {}) };
  });
}

/**
 * Reads and replays the text of a recording. What is wrong after its first line is its {@link Recording.problem}.
 *
 * @throws {PresenceError} `NOT_READY`: `await initSimulator(url)` first. `INVALID_ARGUMENT`: it is no recording, or one
 *   of another version; the message has the line.
 */
export function openRecording(text: string): Recording {
  const { Recording: WasmRecording } = simulator();
  try {
    return new Recording(new WasmRecording(text));
  } catch (error) {
    throw asPresenceError(error);
  }
}
