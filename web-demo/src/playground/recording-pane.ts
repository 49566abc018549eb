import { rowName } from "openclaw-presence";
import { html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { live } from "lit/directives/live.js";

import { findingsCards, findingsChip } from "../components/findings-list.js";
import { RosterPane } from "../components/roster-pane.js";
import type { Ask } from "../components/row-explanation.js";
import { count, duration, moment as dated, stopwatch } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { Part } from "../lib/part.js";
import { CHANGES_MS, MAX_CHANGES, type RecordedFrame, type RecordingPlayer } from "./recording-player.js";
import type { RecordingBounds } from "./simulator.js";

const RATES = [1, 10] as const;

/** Shows a recording at one moment: time, rows, findings, events, and other bounds. */
@customElement("recording-pane")
export class RecordingPane extends Part {
  @state() private accessor isFindingsOpen = true;
  readonly #pane = new RosterPane(this, "Instances in the recording");

  readonly #explain: Ask = async (key) => this.player.explain(key);
  /** Text being typed into the form, preserved across updates. */
  #typed: { readonly [bound in keyof RecordingBounds]?: string } = {};

  constructor(readonly player: RecordingPlayer) {
    super("recording stack");
    this.follow(player.frame);
  }

  protected override render() {
    const frame = this.player.frame.value;
    const { recording, moment, rows, findings } = frame;
    if (!recording || !moment) return nothing;
    const { isFindingsOpen: isOpen } = this;
    const leftOut = moment.findingsLeftOut;
    const missing = moment.missing === 0 ? "" : ` ${count(moment.missing, "input")} before this moment were not recorded: the rows are inexact.`;
    return html`
      ${this.#timeBar(frame)}
      <div class="empty" role="alert" ?hidden=${recording.problem === undefined}>
        <p>Only the first ${duration(recording.durationMs)} can be replayed: ${recording.problem}.</p>
      </div>
      <div class="columns world">
        <section class="stack world-roster" aria-label="Roster">
          <div class="counts">
            <p class="sub num">${count(moment.rows.length, "row")} of at most ${moment.maxEntries}.${missing}</p>
            ${findingsChip(findings.length + leftOut, isOpen, "recording-findings", () => (this.isFindingsOpen = !isOpen))}
          </div>
          ${this.#pane.table}
        </section>
        <div class="stack world-side">
          ${this.#pane.detail}
          <section class="card"><h2>What if</h2>${this.#boundsForm(frame)}</section>
          <section class="card"><h2>This moment</h2>
            <dl class="recorded-facts">
              <dt>Time of the gateway</dt><dd>${dated(moment.wallMs)}</dd>
              <dt>Inputs until now</dt><dd class="num">${moment.inputs.toLocaleString("en")} of ${recording.inputs.toLocaleString("en")}</dd>
              <dt>Digest of the rows</dt><dd><code>${moment.digest}</code></dd>
            </dl>
          </section>
          ${findingsCards({ findings, leftOut, rows, isOpen, id: "recording-findings", reveal: (key) => void this.#pane.reveal(key) })}
        </div>
        <section class="card world-steps"><h2>The last ${duration(CHANGES_MS)}</h2>${changeList(frame)}</section>
      </div>`;
  }

  protected override updated(): void {
    const { rows, findings, recording } = this.player.frame.value;
    if (!recording) {
      if (this.#pane.openKey !== undefined) this.#pane.open(undefined);
      return;
    }
    this.#pane.show({ rows, findings, explain: this.#explain });
  }

  #timeBar({ recording, moment, rate }: RecordedFrame) {
    const { player } = this;
    const [nowMs, endMs] = [moment?.atMs ?? 0, recording?.durationMs ?? 0];
    const seek = (event: Event) => {
      player.pause();
      player.seek(Number((event.target as HTMLInputElement).value));
    };
    return html`
      <section class="time-bar" aria-label="Time">
        <div class="segments" role="group" aria-label="Speed">
          <button type="button" class="button" aria-pressed=${rate === 0} @click=${() => player.pause()}>${icon("pause")}Pause</button>
          ${RATES.map((each) => html`<button type="button" class="button" aria-pressed=${rate === each} @click=${() => player.play(each)}>${icon("play")}${each}×</button>`)}
        </div>
        <label for="recorded-time" class="off-screen">Time in the recording</label>
        <div class="track">
          <input id="recorded-time" type="range" min="0" step=${step(endMs)} max=${endMs} aria-valuetext="${duration(nowMs)} after the start" .value=${live(String(nowMs))} @input=${seek}>
        </div>
        <output for="recorded-time" class="num moment">${stopwatch(nowMs)}</output>
        <button type="button" class="button quiet" @click=${() => player.close()}>${icon("close")}<span>Close recording</span></button>
      </section>`;
  }

  #boundsForm({ recording, bounds, boundsError }: RecordedFrame) {
    if (!recording) return nothing;
    const { ttlMs, maxEntries } = recording.header;
    const isOther = bounds.ttlMs !== undefined || bounds.maxEntries !== undefined;
    const type = (bound: keyof RecordingBounds) => (event: Event) => {
      this.#typed = { ...this.#typed, [bound]: (event.target as HTMLInputElement).value };
    };
    const change = (bound: keyof RecordingBounds, factor: number) => (event: Event) => {
      const { value } = event.target as HTMLInputElement;
      this.#typed = { ...this.#typed, [bound]: undefined };
      this.player.setBounds({ ...bounds, [bound]: value === "" ? undefined : Number(value) * factor });
    };
    const field = (id: string, label: string, bound: keyof RecordingBounds, factor: number) => html`
      <div class="field">
        <label for=${id}>${label}</label>
        <input id=${id} type="number" inputmode="numeric" min="1" step="1" required aria-describedby="what-if-said" aria-invalid=${boundsError === "" ? nothing : "true"} .value=${live(this.#typed[bound] ?? String((bounds[bound] ?? recording.header[bound]) / factor))} @input=${type(bound)} @change=${change(bound, factor)}>
      </div>`;
    return html`
      <div class="what-if">
        ${field("what-if-ttl", "Time to live, in s", "ttlMs", 1_000)}
        ${field("what-if-rows", "Maximum rows", "maxEntries", 1)}
        <button type="button" class="button" ?disabled=${!isOther} @click=${() => this.player.setBounds({})}>${icon("restart")}As recorded</button>
        <p id="what-if-said" role="status" class=${boundsError === "" ? "sub" : "form-error"}>${
          boundsError !== "" ? `${boundsError}.` : isOther ? `Other bounds than recorded: ${duration(ttlMs)}, ${count(maxEntries, "row")}.` : "The bounds of the recorded gateway."
        }</p>
      </div>`;
  }
}

/** Events, newest first. */
function changeList({ changes, changesFromMs, moment, rows }: RecordedFrame) {
  const shown = (changes ?? []).slice(-MAX_CHANGES).reverse();
  const left = (changes?.length ?? 0) - shown.length;
  const isPart = changesFromMs > Math.max(0, (moment?.atMs ?? 0) - CHANGES_MS);
  const names = new Map(rows.map((row) => [row.key, rowName(row)]));
  return html`
    <ol class="steps" reversed tabindex="0" aria-label="What happened, newest first">
      ${changes?.length === 0 ? html`<li class="sub">Nothing happened.</li>` : nothing}
      ${shown.map(({ atMs, key, text }) => html`<li class="step"><time class="num">${stopwatch(atMs)}</time><span><b>${names.get(key) ?? key}</b> ${text}</span></li>`)}
      ${isPart ? html`<li class="sub">and more before</li>` : left > 0 ? html`<li class="sub">and ${left} before</li>` : nothing}
    </ol>`;
}

/** Returns the slider's step in ms; shorter recordings have shorter steps. */
function step(endMs: number): number {
  return endMs <= 600_000 ? 100 : 1_000;
}
