import { ageText, type ExplainedMember, type Explanation, type PresenceRow } from "openclaw-presence";
import { html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";

import { duration } from "../lib/format.js";
import { Part } from "../lib/part.js";

/** Finds out why the row with that key is as it is. */
export type Ask = (key: string) => Promise<Explanation | undefined>;

/** Shortest time between two questions about one row, in ms: a row can change twenty times a second. */
const PAUSE_MS = 1_000;

const SOURCES = {
  handshake: "handshake",
  beacon: "beacon",
  "node-event": "event of the node",
  gateway: "gateway",
  derived: "derived from members",
  list: "list",
} as const;

/** Why a row is as it is: who wrote what, over which connections, what happened to it, and when it goes. */
@customElement("row-explanation")
export class RowExplanation extends Part {
  @state() private accessor told: Explanation | undefined;
  #row: PresenceRow | undefined;
  #ask: Ask | undefined;
  /** Whether nothing could be found out. */
  @state() private accessor isUnknown = false;
  /** The question of now; the answers to others come too late. */
  #question: object | undefined;

  /** @param tell {@link isSettled} became another. */
  constructor(readonly tell: () => void) {
    super();
  }

  /** Whether it is as large as it will be: what stands below it need not move any more. */
  get isSettled(): boolean {
    return this.told !== undefined || this.isUnknown;
  }

  /** Explains a row; what is known of it stays until more is known. */
  show(row: PresenceRow | undefined, ask: Ask | undefined): void {
    if (row === this.#row) return;
    if (row?.key !== this.#row?.key) {
      this.#question = undefined;
      this.told = undefined;
      this.isUnknown = false;
      this.tell();
    }
    this.#row = row;
    this.#ask = ask;
    void this.#find();
  }

  async #find(): Promise<void> {
    const row = this.#row;
    if (!row || !this.#ask || this.#question) return;
    const question = {};
    this.#question = question;
    const told = await this.#ask(row.key).catch(() => undefined);
    // Another row is shown by now, or none.
    if (this.#question !== question) return;
    const wasSettled = this.isSettled;
    this.told = told ?? this.told;
    this.isUnknown = !this.told;
    if (!wasSettled) this.tell();
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    if (this.#question !== question) return;
    this.#question = undefined;
    if (row !== this.#row) void this.#find();
  }

  protected override shouldUpdate(): boolean {
    return true;
  }

  protected override render() {
    const { told, isUnknown, isSettled } = this;
    const text = isUnknown ? html`<p class="sub">No explanation: the gateway did not answer, or it no longer lists this row.</p>` : nothing;
    return html`<section class="why" aria-busy=${isSettled ? "false" : "true"}><h3>Why this row</h3>${told ? explained(told) : text}</section>`;
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

/** The names of the members by who wrote them last, and when. */
function byWriter(members: readonly ExplainedMember[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { name, from, by, ageMs, row } of members) {
    const source = from === "list" && row !== undefined ? `row ${row} of the list` : SOURCES[from];
    const writer = [by === undefined ? source : `${source} of ${by}`, ageMs === undefined ? "" : ageText(ageMs)].filter(Boolean).join(", ");
    groups.set(writer, [...(groups.get(writer) ?? []), name]);
  }
  return groups;
}
