import { html } from "lit";
import { customElement, state } from "lit/decorators.js";

import { findingsCards, findingsChip } from "../components/findings-list.js";
import { RosterPane } from "../components/roster-pane.js";
import type { Ask } from "../components/row-explanation.js";
import { skeletonRows } from "../components/skeleton.js";
import { copyText } from "../lib/clipboard.js";
import { count, duration, moment } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { AddForm } from "../playground/add-form.js";
import { boundsForm } from "../playground/bounds-form.js";
import { clientList } from "../playground/client-list.js";
import { Player } from "../playground/player.js";
import { RecordingPane } from "../playground/recording-pane.js";
import { RecordingPlayer, type RecordedFrame } from "../playground/recording-player.js";
import { SCENARIOS, scenarioNamed, type Scenario } from "../playground/scenarios.js";
import { EMPTY_SCRIPT } from "../playground/script.js";
import { decode, encode } from "../playground/share-link.js";
import { stepList } from "../playground/step-list.js";
import { RATES, timeBar } from "../playground/time-bar.js";
import { hrefOf, type Router } from "../state/route.js";
import type { TourLog } from "../state/tour.js";
import { View, viewHead } from "./view.js";

const FREE_HINT = "Add clients, drop them, and move time: everything happens in this page, by the same core that runs in the gateway.";
const SCENARIO_RATE = RATES[1];

/** A gateway in the page, with an adjustable clock. */
@customElement("playground-view")
export class PlaygroundView extends View {
  @state() private accessor explanation = FREE_HINT;
  /** Name of the playing scenario. */
  @state() private accessor chosen: string | undefined;
  @state() private accessor shareSaid = "";
  @state() private accessor isFindingsOpen = true;
  readonly #player = new Player();
  readonly #addForm = new AddForm(this.#player);
  readonly #pane = new RosterPane(this, "Instances in the playground");
  readonly #recorded = new RecordingPlayer();
  readonly #recording = new RecordingPane(this.#recorded);
  readonly #explain: Ask = (key) => this.#player.explain(key);
  /** The query of the address; absent until the view is shown. */
  #query: string | undefined;

  constructor(
    readonly router: Router,
    readonly tour: TourLog,
  ) {
    super("view playground");
    this.follow(this.#player.frame);
    this.follow(this.#recorded.frame);
    this.addEventListener("dragover", (event) => this.#drag(event, true));
    this.addEventListener("dragleave", (event) => this.#drag(event, false));
    this.addEventListener("drop", (event) => {
      this.#drag(event, false);
      this.#openFile(event.dataTransfer?.files[0]);
    });
  }

  /** Opens the contents of a link: a scenario, or a shared world. To come back to the view changes nothing. */
  protected override show(query: string): void {
    const isFirst = this.#query === undefined;
    if (query === this.#query || (query === "" && !isFirst)) return;
    this.#query = query;
    const asked = new URLSearchParams(query);
    const scenario = scenarioNamed(asked.get("scenario") ?? "");
    const shared = decode(asked.get("s") ?? "");
    if (scenario) this.#play(scenario);
    else if (shared) {
      this.#begin(undefined, "This link contains a shared world. Move its time, or continue from here.");
      this.#player.load(shared.script, shared.nowMs);
    } else if (asked.has("s")) {
      this.#begin(undefined, "This link contains no valid world. Here is an empty one.");
      this.#player.load(EMPTY_SCRIPT);
    } else if (isFirst && SCENARIOS[0]) this.#play(SCENARIOS[0]);
  }

  protected override hide(): void {
    this.#pane.open(undefined);
    this.#player.pause();
    this.#recorded.pause();
  }

  protected override render() {
    const recorded = this.#recorded.frame.value;
    const isRecording = recorded.name !== "";
    return html`
      ${viewHead("Playground", "A whole gateway in this page. No server, no installation, and you control the time.")}
      <section class="card scenarios">
        <div class="chips" role="group" aria-label="Scenarios">${SCENARIOS.map((scenario) => this.#chip(scenario))}</div>
        <div class="actions">
          <label for="recording-file" class="button quiet">${icon("open")}Open recording</label>
          <input id="recording-file" type="file" accept=".jsonl,.ndjson,.json,.txt" class="off-screen" @change=${this.#choose}>
          <button type="button" class="button quiet" ?disabled=${isRecording} @click=${this.#share}>${icon("link")}Copy link</button>
          <button type="button" class="button quiet" @click=${this.#reset}>${icon("trash")}Start empty</button>
        </div>
        <p class="explanation" role="status">${isRecording ? describeRecording(recorded) : this.explanation}</p>
        ${recorded.progress === undefined ? "" : this.#opening(recorded.progress)}
        <p class="form-error recording-error" role="alert">${recorded.error}</p>
        <p role="status" class="sub share-said">${this.shareSaid}</p>
      </section>
      ${isRecording ? this.#recording : this.#world()}`;
  }

  #opening(progress: number) {
    return html`
      <div class="opening">
        <progress aria-label="Opening the recording" max="1" .value=${progress}></progress>
        <button type="button" class="button quiet" @click=${() => this.#recorded.close()}>${icon("close")}Cancel</button>
      </div>`;
  }

  #world() {
    const player = this.#player;
    const frame = player.frame.value;
    const { rows, findings, leftOut, script, problem } = frame;
    const { isFindingsOpen: isOpen } = this;
    return html`
      ${timeBar(player, frame, () => this.tour.reach("time"))}
      <div class="empty" role="alert" ?hidden=${problem === ""}>
        <p>The simulated gateway could not be loaded: ${problem}.</p>
        <button type="button" class="button primary" @click=${() => player.retry()}>Try again</button>
      </div>
      <div class="columns world">
        <section class="stack world-roster" aria-label="Roster">
          <div class="counts">
            <p class="sub num">${count(rows.length, "row")} of at most ${script.cap}</p>
            ${findingsChip(findings.length + leftOut, isOpen, "world-findings", () => (this.isFindingsOpen = !isOpen))}
          </div>
          ${rows.length > 0 || problem !== "" ? "" : skeletonRows(3)}
          ${this.#pane.table}
          ${findingsCards({ findings, leftOut, rows, isOpen, id: "world-findings", reveal: (key) => void this.#pane.reveal(key) })}
        </section>
        <div class="stack world-side">
          ${this.#pane.detail}
          <section class="card"><h2>Clients</h2>${this.#addForm}${clientList(player, frame)}</section>
          <section class="card"><h2>Gateway</h2>${boundsForm(player, frame)}</section>
        </div>
        <section class="card world-steps"><h2>Steps</h2>${stepList(player, frame)}</section>
      </div>`;
  }

  protected override updated(): void {
    const { rows, findings } = this.#player.frame.value;
    this.#pane.table.hidden = rows.length === 0;
    this.#pane.show({ rows, findings, explain: this.#explain });
  }

  /** Accepts files dropped anywhere in the view. */
  #drag(event: DragEvent, isOver: boolean): void {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    this.classList.toggle("is-over", isOver);
  }

  #choose(event: Event): void {
    const input = event.target as HTMLInputElement;
    this.#openFile(input.files?.[0]);
    input.value = "";
  }

  #openFile(file: File | undefined): void {
    if (!file) return;
    this.#begin(undefined, FREE_HINT);
    this.#player.pause();
    this.shareSaid = "";
    void this.#recorded.open(file);
  }

  #chip(scenario: Scenario) {
    const { name, title } = scenario;
    const play = () => {
      this.#play(scenario);
      this.#write(`scenario=${name}`);
    };
    return html`<button type="button" class="chip" aria-pressed=${name === this.chosen} data-scenario=${name} @click=${play}>${title}</button>`;
  }

  #play({ name, explanation, script, untilMs }: Scenario): void {
    this.#begin(name, explanation);
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#player.load(script, isStill ? untilMs : 0, untilMs);
    if (!isStill) this.#player.play(SCENARIO_RATE, untilMs);
  }

  #reset(): void {
    this.#begin(undefined, FREE_HINT);
    this.#player.load(EMPTY_SCRIPT);
    this.#write("");
  }

  #write(query: string): void {
    this.#query = query;
    this.router.rewrite("playground", query);
  }

  #begin(name: string | undefined, explanation: string): void {
    this.#recorded.close();
    this.chosen = name;
    this.explanation = explanation;
    this.#pane.open(undefined);
  }

  async #share(): Promise<void> {
    const { script, nowMs } = this.#player.frame.value;
    const query = `s=${encode({ script, nowMs })}`;
    this.#write(query);
    const isDone = await copyText(new URL(hrefOf("playground", query), location.href).href);
    this.shareSaid = isDone ? "Copied. The link holds the whole world." : "The link is in the address bar.";
  }
}

/** Describes a recording. */
function describeRecording({ name, recording }: RecordedFrame): string {
  if (!recording) return `${name} is being read and replayed.`;
  const { startMs, durationMs, inputs } = recording;
  return `${name}: ${duration(durationMs)} from ${moment(startMs)} on, ${count(inputs, "input")}. Names, ids and addresses are pseudonyms. The file stays in this page.`;
}
