import { ready, Roster, type Explanation, type Finding, type PresenceRow } from "openclaw-presence";

import { Store } from "../lib/store.js";
import { loadRecording, simulatorReady, type RecordedChange, type RecordedMoment, type Recording, type RecordingBounds } from "./simulator.js";

/** All that is shown of a recording at one moment. */
export interface RecordedFrame {
  /** The name of its file; empty: none is open. */
  readonly name: string;
  readonly recording: Recording | undefined;
  readonly moment: RecordedMoment | undefined;
  readonly rows: readonly PresenceRow[];
  readonly findings: readonly Finding[];
  /** What happened within {@link CHANGES_MS} before, oldest first; absent until it is found out. */
  readonly changes: readonly RecordedChange[] | undefined;
  /** The moment from which on the changes are complete: where many things happen, only the newest are looked for. */
  readonly changesFromMs: number;
  readonly bounds: RecordingBounds;
  /** How many times faster than here time passes there; 0: it stands still. */
  readonly rate: number;
  /** How much of a file is read and replayed, from 0 to 1; absent: none is being opened. */
  readonly progress: number | undefined;
  /** Why a file could not be opened; empty: there was none, or it could. */
  readonly error: string;
  /** Why these bounds are refused; empty: they are not. */
  readonly boundsError: string;
}

/** How far the shown changes reach back, in ms. */
export const CHANGES_MS = 10_000;
/** As many changes are enough. */
export const MAX_CHANGES = 60;
/** How far one look back reaches at first, in ms; each further one reaches twice as far, after others had a turn. */
const LOOK_MS = 250;
/** How long time has to stand still until changes are looked for, in ms: they cost more than a moment. */
const STILL_MS = 150;
/** Largest file, in bytes: twice the default of `--record-bytes`. */
const MAX_BYTES = 128 * 1024 * 1024;
/** Shortest time between two moments that are drawn while time passes, in ms. */
const PAUSE_MS = 100;
/** More than this of real time at once, as after a hidden page, is not made up for. */
const LONGEST_FRAME_MS = 250;
/** The recorded gateway removed what expired. */
const FOR_EVER_MS = Number.MAX_SAFE_INTEGER;
/** Maximum number of rows that are shown. */
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

/** Plays a recording: any moment of it, under its own bounds or others. */
export class RecordingPlayer {
  readonly frame = new Store<RecordedFrame>(CLOSED);
  #roster: Roster | undefined;
  #drawnMs = 0;
  #changesTimer: ReturnType<typeof setTimeout> | undefined;
  /** Ends the opening of a file. */
  #opening: AbortController | undefined;

  /** Reads and replays a file; what was open is closed. */
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
      this.#set({ recording, progress: undefined });
      this.seek(recording.durationMs);
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

  /** Goes to a moment, ahead or back. */
  seek(ms: number): void {
    this.#show(ms, this.frame.value.bounds);
  }

  /** Asks what other bounds would have given. */
  setBounds(bounds: RecordingBounds): void {
    this.#show(this.frame.value.moment?.atMs ?? 0, bounds);
  }

  /** Lets time pass by itself up to the end; at the end, from the start. */
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

  /** Why a row is as it is at the moment that is shown. */
  explain(key: string): Explanation | undefined {
    const { recording, moment, bounds } = this.frame.value;
    const listed = moment && this.#roster?.explain(key, moment.wallMs);
    // Of an instance with several rows the list says more than the gateway does of one of them.
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
      const { rows: presence, keys, digest, wallMs, findings } = moment;
      const roster = new Roster({ ttlMs: FOR_EVER_MS, maxRows: MAX_ROWS });
      roster.apply({ presence, keys, digest, version: 1 }, wallMs);
      this.#roster?.free();
      this.#roster = roster;
      this.#set({ moment, bounds, findings, rows: roster.list(wallMs), boundsError: "" });
      if (isPlaying && before && changes) {
        const news = recording.changes(before.atMs, moment.atMs, bounds);
        this.#set({ changes: [...changes, ...news].filter(({ atMs }) => atMs > moment.atMs - CHANGES_MS) });
      } else this.#lookBack(moment.atMs, [], LOOK_MS, STILL_MS);
    } catch (error) {
      if (!before) throw error;
      this.#set({ boundsError: error instanceof Error ? error.message : String(error) });
    }
  }

  /** Looks for what happened before the moment that is shown; what is known happened from `untilMs` on. */
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
