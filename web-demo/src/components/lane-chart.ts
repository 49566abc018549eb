import { html, svg } from "lit";
import { repeat } from "lit/directives/repeat.js";

import { lasted, shortMoment } from "../lib/format.js";
import { ticks, type Tick } from "../lib/ticks.js";
import { presentMs, type Lane, type Span, type Window } from "../state/past-sessions.js";

/** Maximum number of displayed lanes. */
const MAX_LANES = 200;
/** Width and height of a lane in units of the picture, which is stretched. */
const WIDTH = 1_000;
const HEIGHT = 16;
/** Minimum width of a span, so that short ones are visible. */
const MIN_WIDTH = 3;
/** Height per status, so that colour is not the only distinction. */
const HEIGHTS: Readonly<Record<Span["status"], number>> = { Active: HEIGHT, Idle: HEIGHT / 2, Stale: HEIGHT / 4 };

/** The legend of heights and colours. */
export function legend() {
  const item = (status: Span["status"], words: string) =>
    html`<li><svg class="lane-swatch" viewBox="0 0 16 16" aria-hidden="true">${svg`<rect data-status=${status} width="16" y=${HEIGHT - HEIGHTS[status]} height=${HEIGHTS[status]}></rect>`}</svg>${words}</li>`;
  return html`<ul class="lane-legend sub">${item("Active", "Active")}${item("Idle", "Idle")}${item("Stale", "Stale")}<li>a gap: not here</li></ul>`;
}

/**
 * One lane per instance. The chart stays in the page without lanes, since it may have the focus. `key` receives the key
 * presses: arrows move, plus and minus zoom.
 */
export function laneChart(lanes: readonly Lane[], window: Window, key: (event: KeyboardEvent) => void) {
  const shown = lanes.slice(0, MAX_LANES);
  const marks = ticks(window.fromMs, window.toMs);
  return html`
    <div class="lane-chart card" role="group" tabindex="0" aria-label="Lanes of the instances. Left and right arrow move the window, plus and minus zoom, End shows the present." @keydown=${key}>
      ${axis(marks)}
      ${shown.length > 0 ? html`<ul class="lanes">${repeat(shown, (lane) => lane.key, (lane) => laneItem(lane, window, marks))}</ul>` : html`<p class="empty">No sessions in this window. Zoom out, or move to an earlier time.</p>`}
      ${lanes.length > shown.length ? html`<p class="sub">${lanes.length - shown.length} more instances are in the table.</p>` : ""}
    </div>`;
}

function laneItem(lane: Lane, window: Window, marks: readonly Tick[]) {
  const words = `${lane.name}: ${summary(lane, window)}`;
  return html`
    <li class="lane" data-key=${lane.key}>
      <span class="lane-name" dir="auto" title=${lane.key}>${lane.name}</span>
      <svg class="lane-picture" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label=${words}>${marks.map(line)}${lane.spans.map((span) => bar(span, window))}</svg>
    </li>`;
}

function bar({ status, fromMs, toMs }: Span, window: Window) {
  const x = Math.min(place(fromMs, window), WIDTH - MIN_WIDTH);
  const width = Math.max(MIN_WIDTH, place(toMs, window) - x);
  if (toMs <= window.fromMs || fromMs >= window.toMs) return "";
  const height = HEIGHTS[status];
  return svg`<rect data-status=${status} x=${x} width=${width} y=${HEIGHT - height} height=${height}><title>${status}, ${shortMoment(fromMs)} to ${shortMoment(toMs)}</title></rect>`;
}

/** Returns the position of a time, in units of the picture. */
function place(ms: number, { fromMs, toMs }: Window): number {
  const part = (ms - fromMs) / (toMs - fromMs);
  return Math.round(Math.min(Math.max(part, 0), 1) * WIDTH * 10) / 10;
}

function summary(lane: Lane, window: Window): string {
  const [newest] = lane.sessions;
  const now = newest && newest.to === undefined ? "here now" : `last seen ${shortMoment(newest?.seen ?? 0)}`;
  const sessions = lane.sessions.length === 1 ? "1 session" : `${lane.sessions.length} sessions`;
  return `here for ${lasted(presentMs(lane, window))} of this window in ${sessions}, ${now}`;
}

/** The line of a tick, behind the spans of a lane. */
function line({ part }: Tick) {
  const x = part * WIDTH;
  return svg`<line x1=${x} x2=${x} y1="0" y2=${HEIGHT}></line>`;
}

/** The times above the lanes. They stay visible while the lanes are scrolled. */
function axis(marks: readonly Tick[]) {
  return html`<div class="lane-axis sub num" aria-hidden="true"><svg>${marks.map(({ part, text }) => svg`<text x="${part * 100}%" y="1em">${text}</text>`)}</svg></div>`;
}
