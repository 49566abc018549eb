/** Minimum time between two announcements, in ms, so that a screen reader is not kept busy. */
const INTERVAL_MS = 4_000;
/** Maximum number of news in one announcement; further ones are counted. */
const MAX_NEWS = 3;

/** Announces joins, leaves and the connection to screen readers, never age changes. */
export class Announcer {
  readonly #region: HTMLElement;
  /** How often each was reported since the last announcement. */
  readonly #news = new Map<string, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(region: HTMLElement) {
    this.#region = region;
  }

  /** Announces it together with the other news of the next seconds. */
  later(news: string): void {
    this.#news.set(news, (this.#news.get(news) ?? 0) + 1);
    this.#timer ??= setTimeout(() => this.#announce(), INTERVAL_MS);
  }

  #announce(): void {
    this.#timer = undefined;
    const news = [...this.#news];
    this.#news.clear();
    const shown = news.slice(0, MAX_NEWS).map(([text, times]) => (times === 1 ? text : `${text} (${times} times)`));
    const rest = news.slice(MAX_NEWS).reduce((sum, [, times]) => sum + times, 0);
    this.#region.textContent = shown.join(". ") + (rest > 0 ? `. And ${rest} more changes` : "");
  }
}
