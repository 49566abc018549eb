import { ready, Roster, type Finding, type PresenceRow } from "openclaw-presence";
import { html, nothing, type PropertyValues } from "lit";
import { customElement, state } from "lit/decorators.js";

import { CopyButton } from "../components/copy-button.js";
import { findingCard, worstFirst } from "../components/findings.js";
import { RosterPane } from "../components/roster-pane.js";
import type { Ask } from "../components/row-explanation.js";
import { count, duration, pretty } from "../lib/format.js";
import { EXAMPLES } from "./paste-examples.js";
import { View, viewHead } from "./view.js";

/** Maximum length of a text, in UTF-16 units: far larger than any gateway's list. */
const MAX_TEXT = 4 * 1024 * 1024;
/** Includes rows that expired long ago. */
const FOR_EVER_MS = Number.MAX_SAFE_INTEGER;
/** Maximum number of rows. */
const MAX_ROWS = 10_000;

/** Shows a pasted list, which never leaves the browser. */
@customElement("paste-view")
export class PasteView extends View {
  @state() private accessor text = "";
  @state() private accessor error = "";
  @state() private accessor isOver = false;
  @state() private accessor roster: Roster | undefined;
  /** Time after the list was made at which statuses are shown, in ms. */
  @state() private accessor afterMs = 0;
  /** Time of the newest row, which is the earliest time for the list. */
  #newestMs = 0;
  #rows: readonly PresenceRow[] = [];
  #findings: readonly Finding[] = [];
  /** Number of rows in the pasted list. */
  #rawCount = 0;
  readonly #pane = new RosterPane(this, "Pasted instances");
  readonly #explain: Ask = async (key) => this.roster?.explain(key, this.#newestMs + this.afterMs);
  readonly #copy = new CopyButton("Copy as one row per instance", () => pretty(this.#rows.map(({ entry }) => entry)));

  /** Closes details that overlay the page, since they would block it. */
  protected override hide(): void {
    this.#pane.open(undefined);
  }

  protected override willUpdate(changed: PropertyValues): void {
    const { roster } = this;
    if (changed.has("roster")) {
      this.#findings = roster?.findings() ?? [];
      this.#rawCount = roster?.entries().length ?? 0;
    }
    if (changed.has("roster") || changed.has("afterMs")) this.#rows = roster?.list(this.#newestMs + this.afterMs) ?? [];
  }

  protected override render() {
    const { text, error, isOver, roster } = this;
    const value = (event: Event) => (event.target as HTMLInputElement).value;
    const after = duration(this.afterMs);
    const over = (isOver: boolean) => (event: Event) => {
      event.preventDefault();
      this.isOver = isOver;
    };
    return html`
      ${viewHead("Paste", "Read a list from any OpenClaw gateway: one row per instance, its status at a time you choose, and which rows look like one client.")}
      <section class="card drop ${isOver ? "is-over" : ""}" @dragover=${over(true)} @dragleave=${over(false)} @drop=${this.#drop}>
        <label for="paste-text">A presence list, or any frame that contains one</label>
        <textarea id="paste-text" rows="10" spellcheck="false" autocomplete="off" placeholder='[ { "host": "studio", "reason": "connect", "ts": 1800000000000 }, … ]'
          aria-invalid=${error === "" ? nothing : "true"} aria-describedby=${error === "" ? nothing : "paste-error"} .value=${text} @input=${(event: Event) => void this.#read(value(event))}></textarea>
        <p class="form-error" role="alert" id="paste-error">${error}</p>
        <div class="actions">
          <label for="paste-file" class="button">Choose a file</label>
          <input id="paste-file" type="file" accept=".json,.txt,application/json,text/plain" class="off-screen" @change=${this.#choose}>
          ${EXAMPLES.map(({ name, text }) => html`<button type="button" class="button quiet" @click=${() => void this.#read(text())}>Example: ${name}</button>`)}
        </div>
        <p class="sub">From <code>openclaw gateway call system-presence --json</code>. The text stays in this page.</p>
      </section>
      <section class="stack" ?hidden=${!roster}>
        <p class="lead" role="status">${this.#summary()}</p>
        <div class="field time-field">
          <label for="paste-time">Time since the list was made</label>
          <input id="paste-time" type="range" min="0" max="600" step="1" aria-valuetext=${after} .value=${String(this.afterMs / 1_000)} @input=${(event: Event) => (this.afterMs = Number(value(event)) * 1_000)}>
          <output for="paste-time" class="num">${after}</output>
        </div>
        <div class="cards">${worstFirst(this.#findings).map((finding) => findingCard(finding))}</div>
        <div class="with-detail"><div class="main-column">${this.#pane.table}</div>${this.#pane.detail}</div>
        <div class="actions">${this.#copy}</div>
      </section>`;
  }

  protected override updated(): void {
    this.#pane.show({ rows: this.#rows, findings: this.#findings, explain: this.#explain });
  }

  #summary(): string {
    if (!this.roster) return "";
    const rows = this.#rows;
    const raw = this.#rawCount;
    const merged = rows.length === raw ? "" : `, from ${count(raw, "row")} of the gateway`;
    const left = rows.filter(({ status }) => status === "Left").length;
    const gone = left === 0 ? "" : `; ${left} left`;
    const suspicion = this.#findings.length === 0 ? "no findings" : count(this.#findings.length, "finding");
    return `${count(rows.length, "instance")}${merged}${gone}; ${suspicion}.`;
  }

  #choose(event: Event): void {
    const input = event.target as HTMLInputElement;
    const [file] = input.files ?? [];
    if (file) void this.#readFile(file);
    input.value = "";
  }

  #drop(event: DragEvent): void {
    event.preventDefault();
    this.isOver = false;
    const [file] = event.dataTransfer?.files ?? [];
    if (file) void this.#readFile(file);
    else void this.#read(event.dataTransfer?.getData("text/plain") ?? "");
  }

  async #readFile(file: File): Promise<void> {
    await this.#read("");
    if (file.size > MAX_TEXT) {
      this.error = `${file.name} is larger than 4 MiB. Choose a file that holds only the presence list.`;
      return;
    }
    try {
      await this.#read(await file.text());
    } catch (error) {
      this.error = `${file.name} cannot be read: ${error instanceof Error ? error.message : String(error)}.`;
    }
  }

  async #read(text: string): Promise<void> {
    this.roster?.free();
    this.roster = undefined;
    this.#pane.open(undefined);
    this.text = text;
    this.afterMs = 0;
    this.error = text.length > MAX_TEXT ? "The text is longer than 4 MiB. Paste only the presence list." : "";
    if (text.trim() === "" || this.error !== "") return;
    let roster: Roster | undefined;
    try {
      await ready();
      roster = new Roster({ ttlMs: FOR_EVER_MS, maxRows: MAX_ROWS });
      // First at time 0; the parsed rows then give the time of the newest one.
      if (!roster.apply(text, 0)) throw new Error("it has only changes of a list");
      this.#newestMs = Math.max(0, ...roster.entries().map(({ ts }) => (typeof ts === "number" ? ts : 0)));
      roster.apply(text, this.#newestMs);
      this.roster = roster;
    } catch (error) {
      roster?.free();
      this.error = explain(text, error);
    }
  }
}

/** Explains what is wrong with a pasted text, with a remedy. */
function explain(text: string, error: unknown): string {
  try {
    JSON.parse(text);
  } catch {
    return "The text is not complete JSON. Copy everything, from the first bracket to the last.";
  }
  const message = error instanceof Error ? error.message : String(error);
  return `The JSON contains no presence list: ${message}. Paste the output of openclaw gateway call system-presence --json.`;
}
