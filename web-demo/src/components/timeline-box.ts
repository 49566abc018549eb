import { html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";

import { count, isoMoment, moment, shortMoment } from "../lib/format.js";
import { Part } from "../lib/part.js";
import type { Timeline, TimelineEvent } from "../state/timeline.js";

/** Joins, leaves and changes of the connection. Events are rendered only while it is open. */
@customElement("timeline-box")
export class TimelineBox extends Part {
  @state() private accessor isOpen = false;

  constructor(readonly timeline: Timeline) {
    super();
    this.follow(timeline.events);
  }

  protected override render() {
    const events = this.timeline.events.value;
    const toggle = ({ target }: Event) => (this.isOpen = (target as HTMLDetailsElement).open);
    return html`
      <details class="card timeline" @toggle=${toggle}>
        <summary><h2>Events in this tab</h2><span class="sub">${count(events.length, "event")}</span></summary>
        ${this.isOpen ? this.#content(events) : nothing}
      </details>`;
  }

  #content(events: readonly TimelineEvent[]) {
    return html`
      <ol class="timeline-events">${events.length === 0 ? html`<li class="sub">Nothing happened yet.</li>` : events.map(item)}</ol>
      <button type="button" class="button quiet small" ?disabled=${events.length === 0} @click=${() => this.timeline.clear()}>Clear</button>`;
  }
}

function item({ atMs, kind, text }: TimelineEvent) {
  return html`<li data-kind=${kind}><time class="num" datetime=${isoMoment(atMs)} title=${moment(atMs)}>${shortMoment(atMs)}</time>${text}</li>`;
}
