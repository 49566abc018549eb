import { ageText, type ExplainedMember, type Explanation, type PresenceRow } from "openclaw-presence";
import { html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";

import { duration } from "../lib/format.js";
import { Part } from "../lib/part.js";

/** Requests the explanation of the row with that key. */
export type Ask = (key: string) => Promise<Explanation | undefined>;

/** Minimum interval of requests about one row, in ms: a row can change twenty times a second. */
const PAUSE_MS = 1_000;

const SOURCES = {
  handshake: "handshake",
  beacon: "beacon",
  "node-event": "event of the node",
  gateway: "gateway",
  derived: "derived from members",
  list: "list",
} as const;

/** Explains a row: who wrote its members, its connections and events, and when it will be removed. */
@customElement("row-explanation")
export class RowExplanation extends Part {
  @state() private accessor explanation: Explanation | undefined;
  #row: PresenceRow | undefined;
  #ask: Ask | undefined;
  /** Whether no explanation is available. */
  @state() private accessor isUnknown = false;
  /** The current request; answers to earlier ones are dropped. */
  #question: object | undefined;

  /** @param notify is called when {@link isSettled} changes. */
  constructor(readonly notify: () => void) {
    super();
  }

  /** Whether it has its final height, so that contents below it will not shift. */
  get isSettled(): boolean {
    return this.explanation !== undefined || this.isUnknown;
  }

  /** Explains a row, again if it or `ask` has changed; the previous explanation stays until the next one arrives. */
  show(row: PresenceRow | undefined, ask: Ask | undefined): void {
    if (row === this.#row && ask === this.#ask) return;
    if (row?.key !== this.#row?.key) {
      this.#question = undefined;
      this.explanation = undefined;
      this.isUnknown = false;
      this.notify();
    }
    this.#row = row;
    this.#ask = ask;
    void this.#find();
  }

  async #find(): Promise<void> {
    const [row, ask] = [this.#row, this.#ask];
    if (!row || !ask || this.#question) return;
    const question = {};
    this.#question = question;
    const explanation = await ask(row.key).catch(() => undefined);
    // The user has opened another row or closed the panel.
    if (this.#question !== question) return;
    const wasSettled = this.isSettled;
    this.explanation = explanation ?? this.explanation;
    this.isUnknown = !this.explanation;
    if (!wasSettled) this.notify();
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    if (this.#question !== question) return;
    this.#question = undefined;
    if (row !== this.#row || ask !== this.#ask) void this.#find();
  }

  protected override shouldUpdate(): boolean {
    return true;
  }

  protected override render() {
    const { explanation, isUnknown, isSettled } = this;
    const text = isUnknown ? html`<p class="sub">No explanation: the gateway did not answer, or it no longer lists this row.</p>` : nothing;
    return html`<section class="why" aria-busy=${isSettled ? "false" : "true"}><h3>Why this row</h3>${explanation ? explained(explanation) : text}</section>`;
  }
}

function explained({ source, why, ends, expiresInMs, members, connections = [], events = [] }: Explanation) {
  const left = expiresInMs === null ? "" : ` ${expiresInMs === 0 ? "It expires now." : `It expires in ${duration(expiresInMs)} unless a client writes it again.`}`;
  return html`
    <p>${why} ${ends}${left}</p>
    ${connections.length === 0 ? nothing : html`
      <h4>Live connections</h4>
      <ul>${connections.map(({ clientId, mode, role, ip, sinceMs }) => html`<li>${[clientId, mode, role, ip].filter(Boolean).join(" · ")} <span class="sub">for ${duration(sinceMs)}</span></li>`)}</ul>`}
    <h4>${source === "gateway" ? "Last writers" : "Sources of the members"}</h4>
    <dl>${[...byWriter(members)].map(([writer, names]) => html`<dt>${writer}</dt><dd>${names.map((name) => html`<code>${name}</code> `)}</dd>`)}</dl>
    ${events.length === 0 ? nothing : html`
      <h4>Events, newest first</h4>
      <ol>${events.map(({ text, ageMs }) => html`<li>${text} <span class="sub">${ageText(ageMs)}</span></li>`)}</ol>`}
    <p class="sub">${source === "gateway" ? "From the gateway's memory." : "From the list alone, which does not state who wrote a member."}</p>`;
}

/** Returns the names of the members, grouped by their last writer and its time. */
function byWriter(members: readonly ExplainedMember[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { name, from, by, ageMs, row } of members) {
    const source = from === "list" && row !== undefined ? `row ${row} of the list` : SOURCES[from];
    const writer = [by === undefined ? source : `${source} of ${by}`, ageMs === undefined ? "" : ageText(ageMs)].filter(Boolean).join(", ");
    groups.set(writer, [...(groups.get(writer) ?? []), name]);
  }
  return groups;
}
