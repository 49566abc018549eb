import type { PresenceClient } from "../client.js";
import { rowName } from "../row-names.js";
import type { RosterSnapshot } from "../types.js";
import { newsText } from "./text.js";
import { ENGLISH, type ElementWords } from "./words.js";

/**
 * Minimum interval of announcements in ms. News within it are announced together, so that a screen reader is not kept
 * busy.
 */
const NEWS_MS = 3_000;
/** Maximum number of names that are kept for one announcement. */
const MAX_NAMES = 10_000;

/** Collects the joins, leaves and connection changes of one client, and announces them together. */
export class RosterNews {
  readonly #onChange: () => void;
  #text = "";
  #client: PresenceClient | undefined;
  #unsubscribe: (() => void) | undefined;
  #shown: RosterSnapshot | undefined;
  /** The roster of the last announcement. */
  #announced: RosterSnapshot | undefined;
  #words = ENGLISH;
  /** Names that joined and left since then. */
  #joined: string[] = [];
  #left: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param onChange is called when {@link text} changes. */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** The latest announcement about the client; empty before the first one. */
  get text(): string {
    return this.#text;
  }

  /** Listens to `client`, or to no client. Pending news of another client are dropped. */
  listen(client: PresenceClient | undefined): void {
    if (client === this.#client) return;
    this.#unsubscribe?.();
    this.#client = client;
    this.#shown = this.#announced = this.#unsubscribe = undefined;
    [this.#joined, this.#left, this.#text] = [[], [], ""];
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!client) return;
    // Joins and leaves are reported after their grace period, also after a restart of the gateway.
    const ends = [
      client.onJoin((row) => this.#note(this.#joined, rowName(row, this.#words))),
      client.onLeave((row) => this.#note(this.#left, rowName(row, this.#words))),
    ];
    this.#unsubscribe = () => ends.forEach((end) => end());
  }

  /** Records the client's current roster, and the words to announce it with. */
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
    // Screen readers announce changes only, so an equal announcement gets a space that is not shown.
    this.#text = news === this.#text ? `${news}\u00a0` : news;
    this.#onChange();
  }
}
