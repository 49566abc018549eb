/** Minimum time between two announcements, in ms, so that a screen reader is not kept busy. */
const INTERVAL_MS = 4_000;
/** Maximum number of news in one announcement; further ones are counted. */
const MAX_NEWS = 3;

/** Announces joins, leaves and the connection to screen readers, never age changes. */
export class Announcer {
  readonly #region: HTMLElement;
  readonly #news = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(region: HTMLElement) {
    this.#region = region;
  }

  /** Announces it together with the other news of the next seconds. */
  later(news: string): void {
    this.#news.add(news);
    this.#timer ??= setTimeout(() => this.#announce(), INTERVAL_MS);
  }

  #announce(): void {
    this.#timer = undefined;
    const shown = [...this.#news].slice(0, MAX_NEWS);
    const rest = this.#news.size - shown.length;
    this.#news.clear();
    this.#region.textContent = shown.join(". ") + (rest > 0 ? `. And ${rest} more changes` : "");
  }
}
