import { ready, Roster, type Explanation, type Finding, type PresenceRow } from "openclaw-presence";

import { Store } from "../lib/store.js";
import { loadRecording, simulatorReady, type RecordedChange, type RecordedMoment, type Recording, type RecordingBounds } from "./simulator.js";

/** The displayed state of a recording at one moment. */
export interface RecordedFrame {
  /** Name of its file; empty if none is open. */
  readonly name: string;
  readonly recording: Recording | undefined;
  readonly moment: RecordedMoment | undefined;
  readonly rows: readonly PresenceRow[];
  readonly findings: readonly Finding[];
  /** Events within {@link CHANGES_MS} before the moment, oldest first; absent until they are loaded. */
  readonly changes: readonly RecordedChange[] | undefined;
  /** The moment from which on `changes` is complete: with many events only the newest are loaded. */
  readonly changesFromMs: number;
  readonly bounds: RecordingBounds;
  /** Speed relative to real time; 0 while paused. */
  readonly rate: number;
  /** Progress of loading a file, from 0 to 1; absent if none is being loaded. */
  readonly progress: number | undefined;
  /** Why a file could not be opened; empty without an error. */
  readonly error: string;
  /** Why the bounds are refused; empty if they are valid. */
  readonly boundsError: string;
}

/** Period of the displayed events, in ms. */
export const CHANGES_MS = 10_000;
/** Maximum number of displayed events. */
export const MAX_CHANGES = 60;
/** Period of the first query for events, in ms; each further one covers twice as much, after yielding to other work. */
const LOOK_MS = 250;
/** Time without a move until events are queried, in ms: they cost more than a moment. */
const STILL_MS = 150;
/** Maximum size of a file, in bytes: twice the default of `--record-bytes`. */
const MAX_BYTES = 128 * 1024 * 1024;
/** Minimum interval of updates while time passes, in ms. */
const PAUSE_MS = 100;
/** Maximum real time per animation frame: longer gaps, such as after a hidden page, are not caught up. */
const LONGEST_FRAME_MS = 250;
/** The recorded gateway already removed expired rows. */
const FOR_EVER_MS = Number.MAX_SAFE_INTEGER;
/** Maximum number of displayed rows. */
const MAX_ROWS = 10_000;

const CLOSED: RecordedFrame = {
  name: "",
  recording: undefined,
  moment: undefined,
  rows: [],
  findings: [],
  changes: undefined,
  changesFromMs: 0,
  bounds: {},
  rate: 0,
  progress: undefined,
  error: "",
  boundsError: "",
};

/** Plays a recording: any moment of it, under its own or other bounds. */
export class RecordingPlayer {
  readonly frame = new Store<RecordedFrame>(CLOSED);
  #roster: Roster | undefined;
  #drawnMs = 0;
  #changesTimer: ReturnType<typeof setTimeout> | undefined;
  /** Aborts the loading of a file. */
  #opening: AbortController | undefined;

  /** Loads a file; closes the open one. */
  async open(file: File): Promise<void> {
    this.close();
    const opening = new AbortController();
    const { signal } = opening;
    this.#opening = opening;
    this.#set({ progress: 0, name: file.name });
    try {
      if (file.size > MAX_BYTES) throw new Error("it is larger than 128 MiB");
      await Promise.all([ready(), simulatorReady()]);
      signal.throwIfAborted();
      const recording = await loadRecording(file, { signal, onProgress: (progress) => this.#set({ progress }) });
      const moment = recording.at(recording.durationMs);
      // Rendering many rows takes as long as loading them, so yield to other work in between.
      await new Promise((resolve) => setTimeout(resolve));
      if (signal.aborted) return recording.free();
      this.#set({ recording, progress: undefined });
      this.#draw(moment, {});
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (!signal.aborted) this.frame.set({ ...CLOSED, error: `${file.name} cannot be opened: ${why}.` });
    }
  }

  close(): void {
    this.#opening?.abort();
    clearTimeout(this.#changesTimer);
    this.frame.value.recording?.free();
    this.#roster?.free();
    this.#roster = undefined;
    this.frame.set(CLOSED);
  }

  /** Goes to a moment, forward or back. */
  seek(ms: number): void {
    this.#show(ms, this.frame.value.bounds);
  }

  /** Replays under other bounds. */
  setBounds(bounds: RecordingBounds): void {
    this.#show(this.frame.value.moment?.atMs ?? 0, bounds);
  }

  /** Advances time continuously to the end; restarts from the beginning if already there. */
  play(rate: number): void {
    const { recording, moment, rate: before } = this.frame.value;
    if (!recording) return;
    if (moment && moment.atMs >= recording.durationMs) this.seek(0);
    this.#set({ rate });
    if (before !== 0) return;
    this.#drawnMs = performance.now();
    requestAnimationFrame(() => this.#tick());
  }

  pause(): void {
    if (this.frame.value.rate !== 0) this.#set({ rate: 0 });
  }

  /** Explains a row at the displayed moment. */
  explain(key: string): Explanation | undefined {
    const { recording, moment, bounds } = this.frame.value;
    const listed = moment && this.#roster?.explain(key, moment.wallMs);
    // For an instance with several rows, the list explains more than the gateway's memory of one of them.
    const [only, ...others] = listed?.rows ?? [];
    if (!recording || !moment || !listed || only === undefined || others.length > 0) return listed;
    const known = recording.explain(only, moment.atMs, bounds);
    return known ? { ...listed, ...known, key, source: "gateway" } : listed;
  }

  #tick(): void {
    const { rate, recording, moment } = this.frame.value;
    if (rate === 0 || !recording || !moment) return;
    requestAnimationFrame(() => this.#tick());
    const passedMs = performance.now() - this.#drawnMs;
    if (passedMs < PAUSE_MS) return;
    this.#drawnMs = performance.now();
    const wanted = Math.min(moment.atMs + Math.min(passedMs, LONGEST_FRAME_MS) * rate, recording.durationMs);
    const isEnd = wanted >= recording.durationMs;
    this.#show(wanted, this.frame.value.bounds, true);
    if (isEnd) this.pause();
  }

  #show(ms: number, bounds: RecordingBounds, isPlaying = false): void {
    const { recording, moment: before, changes } = this.frame.value;
    if (!recording) return;
    clearTimeout(this.#changesTimer);
    try {
      const moment = recording.at(ms, bounds);
      if (isPlaying && before && changes) {
        const news = recording.changes(before.atMs, moment.atMs, bounds);
        this.#draw(moment, bounds, [...changes, ...news].filter(({ atMs }) => atMs > moment.atMs - CHANGES_MS));
      } else this.#draw(moment, bounds);
    } catch (error) {
      if (!before) throw error;
      this.#set({ boundsError: error instanceof Error ? error.message : String(error) });
    }
  }

  /** Shows a moment. Without `changes`, the events before it are queried later. */
  #draw(moment: RecordedMoment, bounds: RecordingBounds, changes?: readonly RecordedChange[]): void {
    const { rows: presence, keys, digest, wallMs, findings } = moment;
    const roster = new Roster({ ttlMs: FOR_EVER_MS, maxRows: MAX_ROWS });
    roster.apply({ presence, keys, digest, version: 1 }, wallMs);
    this.#roster?.free();
    this.#roster = roster;
    this.#set({ moment, bounds, findings, rows: roster.list(wallMs), boundsError: "" });
    if (changes) this.#set({ changes });
    else this.#lookBack(moment.atMs, [], LOOK_MS, STILL_MS);
  }

  /** Queries events before the displayed moment; those from `untilMs` on are known. */
  #lookBack(untilMs: number, known: readonly RecordedChange[], lengthMs: number, afterMs: number): void {
    this.#changesTimer = setTimeout(() => {
      const { recording, moment, bounds } = this.frame.value;
      if (!recording || !moment) return;
      const earliestMs = Math.max(0, moment.atMs - CHANGES_MS);
      const changesFromMs = Math.max(earliestMs, untilMs - lengthMs);
      const changes = [...recording.changes(changesFromMs, untilMs, bounds), ...known];
      if (changesFromMs > earliestMs && changes.length < MAX_CHANGES) this.#lookBack(changesFromMs, changes, 2 * lengthMs, 0);
      else this.#set({ changes, changesFromMs });
    }, afterMs);
  }

  #set(part: Partial<RecordedFrame>): void {
    this.frame.set({ ...this.frame.value, ...part });
  }
}
