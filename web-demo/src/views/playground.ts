import { duplicateKeys, findingsAbout } from "../components/findings.js";
import { DetailPanel } from "../components/detail-panel.js";
import { FindingsList } from "../components/findings-list.js";
import type { Order } from "../state/roster-order.js";
import { RosterTable } from "../components/roster-table.js";
import { skeletonRows } from "../components/skeleton.js";
import { copyText } from "../lib/clipboard.js";
import { h, replace, set, write } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { addForm } from "../playground/add-form.js";
import { BoundsForm } from "../playground/bounds-form.js";
import { ClientList } from "../playground/client-list.js";
import { Player, type Frame } from "../playground/player.js";
import { SCENARIOS, scenarioNamed, type Scenario } from "../playground/scenarios.js";
import { EMPTY_SCRIPT } from "../playground/script.js";
import { decode, encode } from "../playground/share-link.js";
import { StepList } from "../playground/step-list.js";
import { RATES, TimeBar } from "../playground/time-bar.js";
import { hrefOf, type Router } from "../state/route.js";
import type { TourLog } from "../state/tour.js";
import { viewHead, type View } from "./view.js";

const FREE_HINT = "Add clients, drop them, and move time: everything happens in this page, by the same core that runs in the gateway.";
const SCENARIO_RATE = RATES[1];

/** A gateway in the page, with a clock that can be moved. */
export class PlaygroundView implements View {
  readonly element: HTMLElement;
  readonly #player = new Player();
  readonly #router: Router;
  readonly #time: TimeBar;
  readonly #bounds = new BoundsForm(this.#player);
  readonly #clients = new ClientList(this.#player);
  readonly #steps = new StepList(this.#player);
  readonly #table: RosterTable;
  readonly #detail: DetailPanel;
  readonly #findings: FindingsList;
  readonly #explanation = h("p", { class: "explanation", role: "status" }, FREE_HINT);
  readonly #chips = new Map<string, HTMLButtonElement>();
  readonly #counts = h("p", { class: "sub num" });
  readonly #problem = h("div", { class: "empty", role: "alert", hidden: true });
  readonly #skeleton = skeletonRows(3);
  readonly #shareSaid = h("p", { role: "status", class: "sub share-said" });
  #order: Order = "name";
  #selected: string | undefined;
  #wasShown = false;

  constructor(router: Router, tour: TourLog) {
    this.#router = router;
    this.#time = new TimeBar(this.#player, () => tour.reach("time"));
    this.#table = new RosterTable("Instances in the playground", {
      open: (key) => this.#select(key),
      order: (order) => {
        this.#order = order;
        this.#show(this.#player.frame.value);
      },
    });
    this.#detail = new DetailPanel(() => {
      const key = this.#selected;
      this.#select(undefined);
      if (key !== undefined) this.#table.focus(key);
    });
    this.#findings = new FindingsList((key) => {
      this.#select(key);
      this.#table.reveal(key);
    }, true);
    const share = h("button", { type: "button", class: "button quiet", on: { click: () => void this.#share() } }, icon("link"), "Copy link");
    const reset = h("button", { type: "button", class: "button quiet", on: { click: () => this.#reset() } }, icon("trash"), "Start empty");
    this.element = h(
      "div",
      { class: "view playground" },
      viewHead("Playground", "A whole gateway in this page. No server, no installation, and time obeys you."),
      h(
        "section",
        { class: "card scenarios" },
        h("div", { class: "chips", role: "group", "aria-label": "Scenarios" }, SCENARIOS.map((scenario) => this.#chip(scenario))),
        h("div", { class: "actions" }, share, reset),
        this.#explanation,
        this.#shareSaid,
      ),
      this.#time.element,
      this.#problem,
      h(
        "div",
        { class: "columns world" },
        h(
          "section",
          { class: "stack world-roster", "aria-label": "Roster" },
          h("div", { class: "counts" }, this.#counts, this.#findings.button),
          this.#skeleton,
          this.#table.element,
          this.#findings.element,
        ),
        h(
          "div",
          { class: "stack world-side" },
          this.#detail.element,
          h("section", { class: "card" }, h("h2", {}, "Clients"), addForm(this.#player), this.#clients.element),
          h("section", { class: "card" }, h("h2", {}, "Gateway"), this.#bounds.element),
        ),
        h("section", { class: "card world-steps" }, h("h2", {}, "Steps"), this.#steps.element),
      ),
    );
    this.#player.frame.watch((frame) => this.#show(frame));
  }

  /** What the link says: a scenario, a world of somebody, or nothing. */
  show(query: string): void {
    const asked = new URLSearchParams(query);
    const scenario = scenarioNamed(asked.get("scenario") ?? "");
    const shared = decode(asked.get("s") ?? "");
    if (scenario && scenario.name !== this.#chosen) this.#play(scenario);
    else if (shared) {
      this.#choose(undefined, "Somebody shared this world with you. Move its time, or go on from here.");
      this.#player.load(shared.script, shared.nowMs);
    } else if (asked.has("s")) {
      this.#choose(undefined, "This link holds no world that can be read. Here is an empty one.");
      this.#player.load(EMPTY_SCRIPT);
    } else if (!this.#wasShown && SCENARIOS[0]) this.#play(SCENARIOS[0]);
    this.#wasShown = true;
  }

  hide(): void {
    this.#select(undefined);
    this.#player.pause();
  }

  get #chosen(): string | undefined {
    return [...this.#chips].find(([, chip]) => chip.getAttribute("aria-pressed") === "true")?.[0];
  }

  #chip(scenario: Scenario): HTMLButtonElement {
    const play = () => {
      this.#play(scenario);
      this.#router.rewrite("playground", `scenario=${scenario.name}`);
    };
    const chip = h("button", { type: "button", class: "chip", "aria-pressed": "false", data: { scenario: scenario.name }, on: { click: play } }, scenario.title);
    this.#chips.set(scenario.name, chip);
    return chip;
  }

  #play({ name, explanation, script, untilMs }: Scenario): void {
    this.#choose(name, explanation);
    this.#selected = undefined;
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#player.load(script, isStill ? untilMs : 0, untilMs);
    if (!isStill) this.#player.play(SCENARIO_RATE, untilMs);
  }

  #reset(): void {
    this.#choose(undefined, FREE_HINT);
    this.#selected = undefined;
    this.#player.load(EMPTY_SCRIPT);
    this.#router.rewrite("playground", "");
  }

  #choose(name: string | undefined, explanation: string): void {
    for (const [each, chip] of this.#chips) set(chip, "aria-pressed", String(each === name));
    write(this.#explanation, explanation);
  }

  async #share(): Promise<void> {
    const { script, nowMs } = this.#player.frame.value;
    const query = `s=${encode({ script, nowMs })}`;
    this.#router.rewrite("playground", query);
    const isDone = await copyText(new URL(hrefOf("playground", query), location.href).href);
    write(this.#shareSaid, isDone ? "Copied. The link holds the whole world." : "The link is in the address bar.");
  }

  #show(frame: Frame): void {
    const { rows, findings, script, problem } = frame;
    this.#problem.hidden = problem === "";
    if (problem !== "") {
      const retry = h("button", { type: "button", class: "button primary", on: { click: () => this.#player.retry() } }, "Try again");
      replace(this.#problem, h("p", {}, `The simulated gateway could not be loaded: ${problem}.`), retry);
    }
    this.#skeleton.hidden = rows.length > 0 || problem !== "";
    this.#table.element.hidden = rows.length === 0;
    this.#time.show(frame);
    this.#bounds.show(frame);
    this.#clients.show(frame);
    this.#steps.show(frame);
    write(this.#counts, `${count(rows.length, "row")} of at most ${script.cap}`);
    const selected = rows.find(({ key }) => key === this.#selected);
    this.#table.show({ rows, order: this.#order, selected: selected?.key, duplicates: duplicateKeys(findings, rows) });
    this.#findings.show(findings, rows);
    this.#detail.show(selected && { row: selected, findings: findingsAbout(findings, selected), changes: [] });
  }

  #select(key: string | undefined): void {
    this.#selected = key;
    this.#show(this.#player.frame.value);
  }
}
