import type { PresenceEntry, Status } from "./types.js";

/** One row as the core shows it. */
export interface RowView {
  readonly told: ToldRow;
  readonly status: Status;
  readonly isSelf: boolean;
  readonly ageMs: number;
  readonly lastInputMs: number | undefined;
}

/** What of a row stays as it is while its stamp does. */
export interface ToldRow {
  readonly key: string;
  entry: PresenceEntry;
  /** The rows it is merged from; absent: just the entry. */
  raw: readonly PresenceEntry[] | undefined;
}

/** Whom the book asks: the core's roster or client, at one moment. */
export interface RowTeller {
  /** All rows in list order; see `Roster.rows` of the core. */
  rows(stamp: number, hasFrames: boolean): Float64Array;
  /** The keys of those that are new, as JSON. */
  keys(): string;
  /** The entries of those that are new and in no frame, as JSON. */
  texts(): string;
}

interface Frame {
  readonly text: string;
  json?: unknown;
  /** Its lists of rows or upserts that were asked for, by their place. */
  readonly lists: any[];
}

/** The numbers of a row, in the order of the core's `shown`. */
const NUMBERS = 7;
const STATUS: readonly Status[] = ["Active", "Idle", "Stale", "Left"];
const STATUS_BITS = 3;
const IS_SELF = 4;
const IS_NEW = 8;
const IS_IN_FRAME = 16;

/** The core's `wire::presence::LISTS`. */
const PLACES: readonly (readonly string[])[] = [
  [],
  ["presence"],
  ["payload"],
  ["payload", "presence"],
  ["snapshot", "presence"],
  ["payload", "snapshot", "presence"],
  ["upserts"],
  ["payload", "upserts"],
];
const FIRST_UPSERTS = 6;

/** Frames that nobody reads rows of in time are given up: the core can tell their rows as text. */
const MOST_FRAMES = 8;

/**
 * What was told of the rows of one core. Rows are told in numbers: a row that is just as its frame has it, by where it
 * is in the frame; and what was told before, by its stamp. So each frame is parsed once, by the engine's own parser.
 */
export class RowBook {
  #frames = new Map<number, Frame>();
  #told = new Map<number, ToldRow>();
  #newest = 0;
  /** How many may be told of before it is looked who is gone. */
  #most = 64;

  /** A frame that rows may be in was passed to the core, and has that number there. */
  addFrame(number: number, text: string): void {
    if (number === 0 || !isWellFormed(text)) return;
    this.#frames.set(number, { text, lists: [] });
    if (this.#frames.size <= MOST_FRAMES) return;
    for (const oldest of this.#frames.keys()) {
      this.#frames.delete(oldest);
      break;
    }
  }

  /** All rows in list order. */
  all(core: RowTeller): readonly RowView[] {
    let numbers = core.rows(this.#newest, true);
    let views = this.#read(numbers, core);
    if (!views) {
      numbers = core.rows(0, false);
      views = this.#read(numbers, core) ?? [];
    }
    this.#most = 2 * views.length + 64;
    this.#tidy(() => numbers);
    return views;
  }

  /** Some rows, from what the core's `news` told. */
  some(core: RowTeller, ask: (stamp: number, hasFrames: boolean) => Float64Array): readonly RowView[] {
    const numbers = ask(this.#newest, true);
    const views = this.#read(numbers, core);
    if (views) {
      this.#tidy(() => core.rows(this.#newest, true));
      return views;
    }
    // They are among all.
    const all = core.rows(0, false);
    const byStamp = new Map((this.#read(all, core) ?? []).map((view, index) => [all[index * NUMBERS], view]));
    this.#tidy(() => all);
    return [...numbers].flatMap((stamp, index) => (index % NUMBERS === 0 ? (byStamp.get(stamp) ?? []) : []));
  }

  /** Rows have been told of: the frames have done their work, and rows that are gone can be forgotten. */
  #tidy(all: () => Float64Array): void {
    this.#frames.clear();
    if (this.#told.size <= this.#most) return;
    const told = new Map<number, ToldRow>();
    const numbers = all();
    for (let at = 0; at < numbers.length; at += NUMBERS) {
      const stamp = numbers[at] as number;
      const row = this.#told.get(stamp);
      if (row) told.set(stamp, row);
    }
    this.#told = told;
    this.#most = 2 * told.size + 64;
  }

  /** Nothing: something is not known here that the core takes to be. */
  #read(numbers: Float64Array, core: RowTeller): RowView[] | undefined {
    const views: RowView[] = [];
    let keys: string[] | undefined;
    let texts: (readonly [PresenceEntry, (readonly PresenceEntry[])?])[] | undefined;
    let keyAt = 0;
    let textAt = 0;
    let newest = this.#newest;
    for (let at = 0; at < numbers.length; at += NUMBERS) {
      const stamp = numbers[at] as number;
      const kind = numbers[at + 1] as number;
      let told: ToldRow | undefined;
      if (kind & IS_NEW) {
        keys ??= JSON.parse(core.keys()) as string[];
        const key = keys[keyAt++] as string;
        if (kind & IS_IN_FRAME) {
          const entry = this.#entry(numbers[at + 4] as number, numbers[at + 5] as number, numbers[at + 6] as number);
          if (!entry) return undefined;
          told = { key, entry, raw: undefined };
        } else {
          texts ??= JSON.parse(core.texts()) as NonNullable<typeof texts>;
          const [entry, raw] = texts[textAt++] as NonNullable<typeof texts>[number];
          told = { key, entry, raw };
        }
        this.#told.set(stamp, told);
        if (stamp > newest) newest = stamp;
      } else {
        told = this.#told.get(stamp);
        if (!told) return undefined;
      }
      const input = numbers[at + 3] as number;
      views.push({
        told,
        status: STATUS[kind & STATUS_BITS] as Status,
        isSelf: (kind & IS_SELF) !== 0,
        ageMs: numbers[at + 2] as number,
        lastInputMs: input < 0 ? undefined : input,
      });
    }
    this.#newest = newest;
    return views;
  }

  #entry(number: number, place: number, index: number): PresenceEntry | undefined {
    const frame = this.#frames.get(number);
    if (!frame) return undefined;
    const item = (frame.lists[place] ??= listOf(frame, place))[index];
    return place < FIRST_UPSERTS ? item : item.entry;
  }
}

function listOf(frame: Frame, place: number): any {
  let list: any = (frame.json ??= JSON.parse(frame.text));
  for (const name of PLACES[place] ?? []) list = list[name];
  return list;
}

/** Half a surrogate pair is another character in the core. */
function isWellFormed(text: string): boolean {
  const { isWellFormed } = text as { isWellFormed?(): boolean };
  return isWellFormed ? isWellFormed.call(text) : !/\p{Surrogate}/u.test(text);
}
