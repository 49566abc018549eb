import { asPresenceError } from "../errors.js";
import { nextTurn } from "../virtual-clock.js";
import { simulator, type WasmRecordingReader } from "./load.js";
import { Recording } from "./recording.js";

/** Options of {@link loadRecording}. */
export interface LoadOptions {
  /** Called with the progress, from 0 to 1. Reading is the first tenth, the replay the rest. */
  onProgress?: ((share: number) => void) | undefined;
  /** Aborts the loading; the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** Bytes that are read at once. */
const PIECE_BYTES = 1024 * 1024;
/** Lines that are replayed at once: a few ms. */
const LINES = 64;
/** Time after which the replay yields to other work, in ms. */
const TURN_MS = 16;
/** The share of reading in the progress. */
const READING = 0.1;

/**
 * Reads and replays a file in pieces, so that the page stays responsive. Errors after the first line are in {@link
 * Recording.problem}.
 *
 * @throws {PresenceError} `NOT_READY`: `await initSimulator(url)` first. `INVALID_ARGUMENT`: the file is not a
 * recording, or one of another version; the message has the line.
 */
export async function loadRecording(file: Blob, { onProgress, signal }: LoadOptions = {}): Promise<Recording> {
  const { RecordingReader } = simulator();
  const reader = new RecordingReader(file.size);
  try {
    await read(file, reader, (share) => onProgress?.(share * READING), signal);
    await replay(reader, (share) => onProgress?.(READING + share * (1 - READING)), signal);
  } catch (error) {
    reader.free();
    throw error;
  }
  const recording = reader.finish();
  return new Recording(recording!);
}

async function read(file: Blob, reader: WasmRecordingReader, progress: (share: number) => void, signal: AbortSignal | undefined): Promise<void> {
  const decoder = new TextDecoder();
  for (let begin = 0; begin < file.size; begin += PIECE_BYTES) {
    progress(begin / file.size);
    const piece = await file.slice(begin, begin + PIECE_BYTES).arrayBuffer();
    signal?.throwIfAborted();
    reader.push(decoder.decode(piece, { stream: true }));
  }
  reader.push(decoder.decode());
}

async function replay(reader: WasmRecordingReader, progress: (share: number) => void, signal: AbortSignal | undefined): Promise<void> {
  let [all, left] = [0, 1];
  while (left > 0) {
    const endMs = performance.now() + TURN_MS;
    do {
      left = advance(reader);
    } while (left > 0 && performance.now() < endMs);
    all ||= left;
    progress(left === 0 ? 1 : 1 - left / all);
    await nextTurn();
    signal?.throwIfAborted();
  }
}

function advance(reader: WasmRecordingReader): number {
  try {
    return reader.advance(LINES);
  } catch (error) {
    throw asPresenceError(error);
  }
}
