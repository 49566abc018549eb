import { html, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";

import { icon } from "../lib/icons.js";
import { focusHeading, Part } from "../lib/part.js";
import { hrefOf } from "../state/route.js";
import { isDone, STOPS, type Stop, type TourLog } from "../state/tour.js";

const WORDS: Readonly<Record<Stop, TemplateResult>> = {
  self: html`Find yourself: the row marked <em>this tab</em>`,
  // The new tab gets a copy of this one's sessionStorage, so it is signed in too.
  second: html`<a href=${hrefOf("instances")} target="_blank" rel="opener">Open a second tab</a> and see it join`,
  duplicate: html`<a href=${hrefOf("this-tab")}>Make a duplicate</a> and see it explained`,
  time: html`<a href=${hrefOf("playground")}>Move time</a> in the playground`,
};

/** Suggestions for visitors, ticked when done. Narrow screens show only the next one. */
@customElement("tour-strip")
export class TourStrip extends Part {
  constructor(readonly log: TourLog) {
    super();
    this.follow(log.tour);
  }

  /**
   * Shows or hides the tour. A finished tour stays until another view opens, so that nothing shifts under the
   * pointer.
   */
  place(isWanted: boolean): void {
    const tour = this.log.tour.value;
    this.hidden = !isWanted || tour.isClosed || isDone(tour);
  }

  protected override render() {
    const tour = this.log.tour.value;
    const { seen } = tour;
    const next = STOPS.find((stop) => !seen.has(stop));
    return html`
      <section class="tour" aria-label="Tour" ?data-done=${isDone(tour)}>
        <p class="tour-title">Tour <span class="num">${seen.size}/${STOPS.length}</span></p>
        <ol>
          ${STOPS.map(
            (stop) => html`
              <li ?data-seen=${seen.has(stop)} ?data-next=${stop === next}>
                <span class="tick" aria-hidden="true">${icon("check")}</span><span>${WORDS[stop]}</span><span class="off-screen tick-word">${seen.has(stop) ? " (done)" : ""}</span>
              </li>`,
          )}
        </ol>
        <p class="tour-end">Done: you have seen a row appear, duplicate, age and leave.</p>
        <button type="button" class="button icon-only" aria-label="Close the tour" @click=${this.#close}>${icon("close")}</button>
      </section>`;
  }

  #close(): void {
    this.log.close();
    this.hidden = true;
    // The button that had the focus was removed.
    focusHeading();
  }
}
