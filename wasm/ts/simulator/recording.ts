import { DISPOSE } from "../disposable.js";
import { asPresenceError, freed } from "../errors.js";
import { check, type Names } from "../known-options.js";
import type { GatewayExplanation, GatewayMethods } from "../methods.js";
import type { Finding, FindingReport, PresenceEntry } from "../types.js";
import { simulator, type WasmRecording } from "./load.js";

/** The first line of a recording: the configuration of the recorded gateway. */
export interface RecordingHeader {
  /** Version of the format. */
  readonly format: number;
  /** Version of the gateway. */
  readonly version: string;
  /** How long a row lives after its last proof of life, in ms. */
  readonly ttlMs: number;
  /** Maximum number of rows, the gateway's own included. */
  readonly maxEntries: number;
  /** Maximum ping interval, in ms. */
  readonly pingIntervalMs: number;
  /** Modes whose clients get no row. */
  readonly ephemeralModes: readonly string[];
  /** The gateway's own row. */
  readonly own: PresenceEntry;
}

/** Bounds that replace those of the recorded gateway. */
export interface RecordingBounds {
  /** How long a row lives after its last proof of life, in ms. @default the recorded gateway's */
  ttlMs?: number | undefined;
  /** Maximum number of rows, the gateway's own included. @default the recorded gateway's */
  maxEntries?: number | undefined;
}

/** The roster of a recorded gateway at one moment. */
export interface RecordedMoment {
  /** The moment, in ms after the start of the recording. */
  readonly atMs: number;
  /** That moment on the gateway's wall clock, in ms since the Unix epoch. */
  readonly wallMs: number;
  /** The rows, newest first. Names, ids and addresses are pseudonyms. */
  readonly rows: readonly PresenceEntry[];
  /** The keys of the rows. */
  readonly keys: readonly string[];
  /** Findings from the gateway's memory, which begins at the checkpoint if the recording starts with one. */
  readonly findings: readonly Finding[];
  /** Number of findings omitted from the gateway's answer for lack of room. */
  readonly findingsLeftOut: number;
  /** Digest of the rows: 16 hex digits. With the recorded bounds it is equal to the gateway's. */
  readonly digest: string;
  /** Number of inputs until then. */
  readonly inputs: number;
  /** Number of inputs until then that were not recorded; if any, the rows are inexact. */
  readonly missing: number;
  /** Maximum number of rows, under these bounds. */
  readonly maxEntries: number;
  /** Why the replay ends here, with the line; absent if it can continue. */
  readonly problem?: string;
}

/** The recorded gateway's explanation of a row, from its memory, with findings about the row. */
export type RecordedExplanation = GatewayExplanation & { readonly findings: readonly FindingReport[] };

/** An event of a row. */
export interface RecordedChange {
  /** Time in ms after the start of the recording. */
  readonly atMs: number;
  /** The key of the row. */
  readonly key: string;
  /** Kind of event: `added`, `changed`, or one of the events of an explanation. */
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
 * A recording of `presence-gateway serve --record`, replayed with the gateway's digests, bit for bit.
 *
 * ```ts
 * const recording = openRecording(await file.text());
 * recording.at(60_000).rows; // a minute after its start
 * recording.at(60_000, { ttlMs: 30_000 }).rows; // as a gateway with another TTL would have had them
 * ```
 *
 * Each moment is replayed from the nearest of at most 64 checkpoints in memory. Other bounds have checkpoints of their
 * own, kept for the last requested bounds only; the first moment under them is replayed from the start.
 */
export class Recording {
  #wasm: WasmRecording | undefined;
  readonly #summary: Summary;

  /** @internal */
  constructor(wasm: WasmRecording) {
    this.#wasm = wasm;
    this.#summary = JSON.parse(wasm.summary()) as Summary;
  }

  /** The configuration of the gateway. */
  get header(): RecordingHeader {
    return this.#summary.header;
  }

  /** The start, in ms since the Unix epoch on the gateway's wall clock. */
  get startMs(): number {
    return this.#summary.startMs;
  }

  /** Duration in ms, up to the last line that can be replayed. */
  get durationMs(): number {
    return this.#summary.durationMs;
  }

  /** Number of the gateway's inputs until then. */
  get inputs(): number {
    return this.#summary.inputs;
  }

  /** Number of inputs that were not recorded; the rows after them are inexact. */
  get missing(): number {
    return this.#summary.missing;
  }

  /** Why the replay ends early, with the line: the recording is truncated or was changed. */
  get problem(): string | undefined {
    return this.#summary.problem ?? undefined;
  }

  /**
   * Returns the roster at a moment, in ms after the start; at most {@link durationMs}.
   *
   * @throws {PresenceError} `INVALID_ARGUMENT` for an invalid argument, which the message names; `FREED`.
   */
  at(ms: number, bounds: RecordingBounds = {}): RecordedMoment {
    const { problem, answer, ...moment } = this.#ask((wasm) => JSON.parse(wasm.at(ms, boundsText(bounds))));
    const found = { findings: findingsOf(answer?.findings ?? [], moment), findingsLeftOut: answer?.findingsLeftOut ?? 0 };
    return problem === null ? { ...moment, ...found } : { ...moment, ...found, problem };
  }

  /**
   * Explains the row with that key at a moment; `undefined` if there is no such row.
   *
   * @throws {PresenceError} `INVALID_ARGUMENT` for an invalid argument, which the message names; `FREED`.
   */
  explain(key: string, ms: number, bounds: RecordingBounds = {}): RecordedExplanation | undefined {
    const text = this.#ask((wasm) => wasm.explain(key, ms, boundsText(bounds)));
    if (text === undefined) return undefined;
    const { row, findings } = JSON.parse(text) as GatewayMethods["presence.explain"]["result"];
    return row && { ...row, findings };
  }

  /**
   * Returns the events of rows after `fromMs` and until `untilMs`, oldest first: at most the newest 10,000.
   *
   * @throws {PresenceError} `INVALID_ARGUMENT` for an invalid argument, which the message names; `FREED`.
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

  /** Frees its memory; a second call does nothing. */
  free(): void {
    this.#wasm?.free();
    this.#wasm = undefined;
  }

  [DISPOSE](): void {
    this.free();
  }
}

const BOUNDS: Names<RecordingBounds> = { ttlMs: 1, maxEntries: 1 };

function boundsText(bounds: RecordingBounds): string {
  check(bounds, BOUNDS, "options");
  return JSON.stringify(bounds);
}

/** Returns the findings with their rows, like those of a client. */
function findingsOf(reports: readonly FindingReport[], { keys, rows }: Pick<RecordedMoment, "keys" | "rows">): readonly Finding[] {
  const places = new Map(keys.map((key, index) => [key, index]));
  return reports.map((report) => {
    const indexes = report.rows.flatMap((key) => places.get(key) ?? []);
    return { ...report, fix: report.fixHint, indexes, entries: indexes.map((index) => rows[index] ?? {}) };
  });
}

/**
 * Reads and replays the text of a recording. Errors after the first line are in {@link Recording.problem}.
 *
 * @throws {PresenceError} `NOT_READY`: `await initSimulator(url)` first. `INVALID_ARGUMENT`: the text is not a
 * recording, or one of another version; the message has the line.
 */
export function openRecording(text: string): Recording {
  const { Recording: WasmRecording } = simulator();
  try {
    return new Recording(new WasmRecording(text));
  } catch (error) {
    throw asPresenceError(error);
  }
}
