import { html } from "lit";
import { customElement } from "lit/decorators.js";

import { count, isoMoment, moment, shortMoment } from "../lib/format.js";
import { Part } from "../lib/part.js";
import type { Happening, Timeline } from "../state/timeline.js";

/** Who came and went, and how the connection did. */
@customElement("timeline-box")
export class TimelineBox extends Part {
  constructor(readonly timeline: Timeline) {
    super();
    this.follow(timeline.happenings);
  }

  protected override render() {
    const happenings = this.timeline.happenings.value;
    return html`
      <details class="card timeline">
        <summary><h2>Timeline</h2><span class="sub">${count(happenings.length, "event")}</span></summary>
        <ol class="happenings">${happenings.length === 0 ? html`<li class="sub">Nothing happened yet.</li>` : happenings.map(item)}</ol>
        <button type="button" class="button quiet small" ?disabled=${happenings.length === 0} @click=${() => this.timeline.clear()}>Clear</button>
      </details>`;
  }
}

function item({ atMs, kind, text }: Happening) {
  return html`<li data-kind=${kind}><time class="num" datetime=${isoMoment(atMs)} title=${moment(atMs)}>${shortMoment(atMs)}</time>${text}</li>`;
}
