import { html, nothing } from "lit";
import type { PastSession } from "openclaw-presence";

import { count, isoMoment, lasted, shortMoment } from "../lib/format.js";
import type { SessionWindow } from "../state/past-sessions.js";

/** Maximum number of rows. */
const MAX_ROWS = 200;

/** How sessions ended, in words. */
const ENDS: Readonly<Record<string, string>> = {
  closed: "closed",
  silent: "did not answer",
  stated: "reported leaving",
  expired: "expired",
  evicted: "evicted: too many rows",
  replaced: "connected under another id",
  stopped: "gateway stopped",
  crashed: "gateway crashed",
  lost: "unknown",
};

/** The sessions of a window as a table, newest first. */
export function sessionTable(past: SessionWindow, nowMs: number) {
  const rows = past.sessions.slice(0, MAX_ROWS);
  return html`
    <div class="session-table card" tabindex="0" role="region" aria-label="Sessions of this window">
      <table>
        <caption>${count(past.sessions.length, "session")}${past.isCut ? " or more" : ""}${past.sessions.length > MAX_ROWS ? `, the newest ${MAX_ROWS} of them listed` : nothing}</caption>
        <thead><tr><th scope="col">Instance</th><th scope="col">From</th><th scope="col">To</th><th scope="col">Lasted</th><th scope="col">State</th></tr></thead>
        <tbody>${rows.map((session) => row(session, past, nowMs))}</tbody>
      </table>
    </div>`;
}

function row({ key, from, to, why, connected }: PastSession, { instances }: SessionWindow, nowMs: number) {
  const time = (ms: number) => html`<time datetime=${isoMoment(ms)}>${shortMoment(ms)}</time>`;
  const end = why === undefined ? (connected ? "connected" : "sends beacons") : (ENDS[why] ?? why);
  const name = instances[key]?.host || key;
  return html`
    <tr>
      <th scope="row" dir="auto" title=${name === key ? key : `${name} (${key})`}>${name}</th>
      <td class="num">${time(from)}</td>
      <td class="num">${to === undefined ? "now" : time(to)}</td>
      <td class="num">${lasted((to ?? nowMs) - from)}</td>
      <td>${end}</td>
    </tr>`;
}
