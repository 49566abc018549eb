import type { PresenceClient } from "../client.js";
import { rowName } from "../row-names.js";
import type { RosterSnapshot } from "../types.js";
import { newsText } from "./text.js";
import { ENGLISH, type ElementWords } from "./words.js";

/** News are announced together, at most this often, in ms, so that a screen reader is not kept busy. */
const NEWS_MS = 3_000;
/** Maximum number of names that are kept for one announcement. */
const MAX_NAMES = 10_000;

/** Collects the news of one client and announces them together. */
export class RosterNews {
  readonly #onChange: () => void;
  #text = "";
  #client: PresenceClient | undefined;
  #unsubscribe: (() => void) | undefined;
  #shown: RosterSnapshot | undefined;
  /** The roster of the last announcement. */
  #announced: RosterSnapshot | undefined;
  #words = ENGLISH;
  /** Names since then. */
  #joined: string[] = [];
  #left: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param onChange is called when {@link text} changed. */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** The last announcement about the client; empty before the first one. */
  get text(): string {
    return this.#text;
  }

  /** Listens to a client, or to none. News of another client are dropped. */
  listen(client: PresenceClient | undefined): void {
    if (client === this.#client) return;
    this.#unsubscribe?.();
    this.#client = client;
    this.#shown = this.#announced = this.#unsubscribe = undefined;
    [this.#joined, this.#left, this.#text] = [[], [], ""];
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!client) return;
    // Joins and leaves come after their grace, also after a restart of the gateway.
    const ends = [
      client.onJoin((row) => this.#note(this.#joined, rowName(row, this.#words))),
      client.onLeave((row) => this.#note(this.#left, rowName(row, this.#words))),
    ];
    this.#unsubscribe = () => ends.forEach((end) => end());
  }

  /** Takes note of the client's roster, and of the words to announce it with. */
  show(roster: RosterSnapshot | undefined, words: ElementWords): void {
    this.#words = words;
    if (roster === this.#shown) return;
    this.#shown = roster;
    this.#schedule();
  }

  #note(names: string[], name: string): void {
    if (names.length < MAX_NAMES) names.push(name);
    this.#schedule();
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => this.#announce(), NEWS_MS);
  }

  #announce(): void {
    this.#timer = undefined;
    if (!this.#shown) return;
    const news = newsText(this.#announced, this.#shown, { joined: this.#joined, left: this.#left }, this.#words);
    [this.#announced, this.#joined, this.#left] = [this.#shown, [], []];
    if (!news) return;
    this.#text = news;
    this.#onChange();
  }
}
