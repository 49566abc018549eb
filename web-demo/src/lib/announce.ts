/** News are told together and at most this often, in ms: a screen reader must not be talked to death. */
const EVERY_MS = 4_000;
/** More of them in one go are a number. */
const MOST = 3;

/** What screen readers are told: who came and went, never who aged. */
export class Announcer {
  readonly #region: HTMLElement;
  readonly #news: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(region: HTMLElement) {
    this.#region = region;
  }

  /** Tells it with whatever else happens in the next seconds. */
  later(news: string): void {
    if (!this.#news.includes(news)) this.#news.push(news);
    this.#timer ??= setTimeout(() => this.#tell(), EVERY_MS);
  }

  #tell(): void {
    this.#timer = undefined;
    const shown = this.#news.slice(0, MOST);
    const rest = this.#news.length - shown.length;
    this.#news.length = 0;
    this.#region.textContent = shown.join(". ") + (rest > 0 ? `. And ${rest} more changes` : "");
  }
}
