import { DISPOSE } from "../disposable.js";
import { asPresenceError, freed } from "../errors.js";
import type { PresenceEntry } from "../types.js";
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
  at(ms: number, { ttlMs, maxEntries }: RecordingBounds = {}): RecordedMoment {
    if (!this.#wasm) throw freed("recording");
    try {
      const { problem, ...moment } = JSON.parse(this.#wasm.at(ms, JSON.stringify({ ttlMs, maxEntries })));
      return problem === null ? moment : { ...moment, problem };
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
